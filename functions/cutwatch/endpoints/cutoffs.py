"""The cutoff of a model, from the scores of its training data."""

import io
import json
from collections.abc import Iterator

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import ROWS, scores_prefix
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.watched_table import TableCutoff, WatchedTable
from cutwatch.endpoints.cutoff_store import CutoffStore, VariantCutoff
from cutwatch.errors import MalformedObject, MalformedScores, NotFound
from cutwatch.timeseries.arrays import Floats

# Rows that the expected range of a column is taken from. Items of a table come in the order of a hash, so the first are a sample.
_SAMPLED_ROWS = 100_000
_LOW, _MIDDLE, _HIGH = 5, 50, 95
_LEAST_SPREAD = 1e-9


def store_cutoff(
    store: CutoffStore,
    bucket: Bucket,
    table: WatchedTable,
    dataset: Dataset,
    scoring: str,
    model: str,
    trained_at: str,
) -> VariantCutoff:
    """Record the cutoff of a model from the scores of its training data, which the job `scoring` wrote; return it."""
    cutoff = cutoff_of(table.cutoff, training_scores(bucket, dataset, scoring))
    record = VariantCutoff(
        variant=model,
        fingerprint=table.fingerprint,
        columns=table.columns,
        value=cutoff.value,
        mean=cutoff.mean,
        deviation=cutoff.standard_deviation,
        ranges=column_ranges(bucket, dataset),
        rows=dataset.rows,
        trained_at=trained_at,
    )
    store.record(record)
    return record


def cutoff_of(rule: TableCutoff, scores: Floats) -> Cutoff:
    """Return the cutoff of scores (n,), at least one and all finite. A quantile is stated in standard deviations too."""
    cutoff = Cutoff.of_scores(scores, rule.sigmas)
    if rule.method == "sigmas":
        return cutoff
    # The next number: scores at the quantile itself are not above it, however many are equal.
    value = float(np.nextafter(np.quantile(scores, rule.quantile), np.inf))
    spread = max(cutoff.standard_deviation, _LEAST_SPREAD)
    return Cutoff(
        cutoff.mean, cutoff.standard_deviation, (value - cutoff.mean) / spread, max(value, spread)
    )


def training_scores(bucket: Bucket, dataset: Dataset, scoring: str) -> Floats:
    """Return the scores of all rows of a dataset, in no particular order.

    Raises `MalformedScores` if an object of scores is missing or malformed, or if they are not as many as the rows.
    """
    prefix = scores_prefix(dataset.detector, scoring)
    parts = [_scores(bucket, f"{prefix}{name}.out") for name in _part_names(bucket, dataset)]
    scores = np.concatenate(parts) if parts else np.empty(0)
    if len(scores) != dataset.rows or not len(scores):
        raise MalformedScores(
            f"{bucket.uri(prefix)} holds {len(scores)} scores for {dataset.rows} rows, so none of them can be used"
        )
    return scores


def column_ranges(bucket: Bucket, dataset: Dataset) -> tuple[tuple[float, float, float], ...]:
    """Return median, lower and upper bound of 90 % of each column's values, from a sample of the rows."""
    lines: list[str] = []
    for name in _part_names(bucket, dataset):
        lines += bucket.read(f"{dataset.prefix}{ROWS}{name}").splitlines()
        if len(lines) >= _SAMPLED_ROWS:
            break
    try:
        values = np.loadtxt(io.StringIO("\n".join(lines)), delimiter=",", ndmin=2)
        found = np.percentile(values, (_MIDDLE, _LOW, _HIGH), axis=0)
    except (ValueError, IndexError) as error:
        raise MalformedObject(f"{bucket.uri(dataset.prefix)} holds no rows: {error}") from None
    return tuple((float(m), float(low), float(high)) for m, low, high in found.T)


def _part_names(bucket: Bucket, dataset: Dataset) -> Iterator[str]:
    prefix = dataset.prefix + ROWS
    return (each.key.removeprefix(prefix) for each in bucket.list(prefix))


def _scores(bucket: Bucket, key: str) -> Floats:
    try:
        lines = [line for line in bucket.read(key).splitlines() if line.strip()]
        scores = np.array([float(json.loads(line)["score"]) for line in lines])
    except NotFound:
        raise MalformedScores(f"the transform job wrote no {bucket.uri(key)}") from None
    except (ValueError, KeyError, TypeError, RecursionError, MalformedObject):
        raise MalformedScores(
            f'{bucket.uri(key)} is not jsonlines of {{"score": number}}'
        ) from None
    if not np.isfinite(scores).all():
        raise MalformedScores(f"{bucket.uri(key)} holds a score that is not finite")
    return scores
