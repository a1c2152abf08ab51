"""Datasets in S3: feature rows, their timestamps, and the description, which is written last.

A dataset with a description is complete and is never written again, so every retry and every duplicate run works on
the same rows.
"""

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import Description, dataset_in
from cutwatch.datasets.keys import ROWS
from cutwatch.errors import InvalidInput, MalformedObject, MalformedScores, NotFound
from cutwatch.features.recipe import FeatureRows
from cutwatch.timeseries.arrays import Epochs, Floats

AnyDescription = TypeVar("AnyDescription", bound=Description)

_TIMESTAMPS = "timestamps.csv"
_DESCRIPTION = "description.json"


def find_dataset(bucket: Bucket, prefix: str) -> Dataset | None:
    """Return the dataset below a prefix; None if it was not stored completely."""
    try:
        payload = bucket.read_json(prefix + _DESCRIPTION)
    except NotFound:
        return None
    with _naming(bucket, prefix):
        return dataset_in(payload)


def read_description(kind: type[AnyDescription], bucket: Bucket, prefix: str) -> AnyDescription:
    """Return the description of a training or window dataset.

    Raises `NotFound` if the dataset was not stored completely, `MalformedObject` if its description is of another kind.
    """
    try:
        payload = bucket.read_json(prefix + _DESCRIPTION)
    except NotFound:
        raise NotFound("GetObject", "NoSuchKey", f"no dataset below {prefix}") from None
    with _naming(bucket, prefix):
        return kind.from_payload(payload)


@contextmanager
def _naming(bucket: Bucket, prefix: str) -> Iterator[None]:
    """Name the object in the error that its content raises."""
    try:
        yield
    except InvalidInput as error:
        raise MalformedObject(f"{bucket.uri(prefix + _DESCRIPTION)}: {error}") from None


def store_dataset(bucket: Bucket, description: Description, features: FeatureRows) -> None:
    """Write rows (in as many objects as the dataset has files), timestamps, then the description."""
    prefix, files = description.dataset.prefix, description.dataset.files
    for number, part in enumerate(np.array_split(features.rows, files)):
        bucket.write(f"{prefix}{ROWS}{_part_name(number)}", _csv(part))
    bucket.write(prefix + _TIMESTAMPS, "".join(f"{epoch}\n" for epoch in features.epochs))
    bucket.write(prefix + _DESCRIPTION, json.dumps(description.to_payload()))


def read_rows(bucket: Bucket, dataset: Dataset) -> FeatureRows:
    """Return the feature rows of a dataset with their epoch seconds, in order."""
    rows = dataset.prefix + ROWS
    texts = [bucket.read(f"{rows}{_part_name(number)}") for number in range(dataset.files)]
    if not any(text.strip() for text in texts):
        raise MalformedObject(f"{bucket.uri(rows)} holds no rows")
    try:
        values = np.loadtxt(io.StringIO("".join(texts)), delimiter=",", ndmin=2)
    except ValueError as error:
        raise MalformedObject(f"{bucket.uri(rows)} holds no rows: {error}") from None
    return FeatureRows(values, read_epochs(bucket, dataset.prefix))


def write_scores(bucket: Bucket, prefix: str, scores: Floats) -> None:
    """Write scores (n,) as a transform job of one instance does."""
    lines = "".join(f'{{"score": {score!r}}}\n' for score in scores.tolist())
    bucket.write(f"{prefix}{_part_name(0)}.out", lines)


def read_epochs(bucket: Bucket, prefix: str) -> Epochs:
    """Return the epoch second of every row of a dataset, in order."""
    try:
        return np.array([int(line) for line in bucket.read(prefix + _TIMESTAMPS).split()], np.int64)
    except (ValueError, OverflowError) as error:
        raise MalformedObject(f"{bucket.uri(prefix + _TIMESTAMPS)}: {error}") from None


def read_scores(bucket: Bucket, prefix: str, files: int, expected: int) -> Floats:
    """Return the anomaly scores that a transform job wrote, in the order of their rows.

    Raises `MalformedScores` if an object is missing or is not jsonlines of finite scores, or if there are not
    `expected` scores.
    """
    scores: list[float] = []
    for number in range(files):
        scores += _parse_scores(bucket, f"{prefix}{_part_name(number)}.out")
    if len(scores) != expected:
        raise MalformedScores(
            f"{bucket.uri(prefix)} holds {len(scores)} scores for {expected} rows; "
            "scores are joined to rows by line number, so none of them can be used"
        )
    return np.array(scores)


def _parse_scores(bucket: Bucket, key: str) -> Sequence[float]:
    try:
        # `AssembleWith: Line` may leave blank lines between the answers that it joins.
        lines = [line for line in bucket.read(key).splitlines() if line.strip()]
    except NotFound:
        raise MalformedScores(f"the transform job wrote no {bucket.uri(key)}") from None
    except MalformedObject as error:
        raise MalformedScores(str(error)) from None
    try:
        scores = [_score_of(json.loads(line)) for line in lines]
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise MalformedScores(
            f'{bucket.uri(key)} is not jsonlines of {{"score": number}}'
        ) from None
    if not np.isfinite(scores).all():
        raise MalformedScores(f"{bucket.uri(key)} holds a score that is not finite")
    return scores


def _score_of(line: Any) -> float:
    score = line["score"]
    if isinstance(score, bool) or not isinstance(score, int | float):
        raise TypeError(score)
    return float(score)


def _part_name(number: int) -> str:
    return f"part-{number:05d}.csv"


def _csv(rows: Floats) -> str:
    text = io.StringIO()
    for row in rows.tolist():
        text.write(",".join(map(repr, row)) + "\n")
    return text.getvalue()
