"""Datasets in S3: feature rows, their timestamps, and the description, which is written last.

SageMaker reads rows and writes scores as text; those of forests inside Lambda are in `forest_arrays`.

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
from cutwatch.datasets.forest_arrays import write_rows
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
    """Write rows and timestamps, then the description."""
    prefix = description.dataset.prefix
    if description.detector.engine == "lambda":
        write_rows(bucket, prefix, features)
    else:
        _write_text(bucket, description.dataset, features)
    bucket.write(prefix + _DESCRIPTION, json.dumps(description.to_payload()))


def _write_text(bucket: Bucket, dataset: Dataset, features: FeatureRows) -> None:
    """Write rows, in as many objects as the dataset has files, and timestamps."""
    for number, part in enumerate(np.array_split(features.rows, dataset.files)):
        bucket.write(f"{dataset.prefix}{ROWS}{_part_name(number)}", _csv(part))
    bucket.write(dataset.prefix + _TIMESTAMPS, "".join(f"{epoch}\n" for epoch in features.epochs))


def read_epochs(bucket: Bucket, prefix: str) -> Epochs:
    """Return the epoch second of every row of a dataset, in order."""
    try:
        return np.array([int(line) for line in bucket.read(prefix + _TIMESTAMPS).split()], np.int64)
    except (ValueError, OverflowError) as error:
        raise MalformedObject(f"{bucket.uri(prefix + _TIMESTAMPS)}: {error}") from None


def read_scores(bucket: Bucket, prefix: str, files: int, expected: int) -> Floats:
    """Return the anomaly scores (n, 1) that a transform job wrote, in the order of their rows.

    Raises `MalformedScores` if an object is missing or is not jsonlines of finite scores, or if there are not `expected`
    rows.
    """
    scores: list[float] = []
    for number in range(files):
        scores += _parse_scores(bucket, f"{prefix}{_part_name(number)}.out")
    if len(scores) != expected:
        raise MalformedScores(
            f"{bucket.uri(prefix)} holds {len(scores)} scores for {expected} rows; "
            "scores are joined to rows by line number, so none of them can be used"
        )
    return np.array(scores, np.float64).reshape(expected, 1)


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
    if type(score) not in (int, float):
        raise TypeError(score)
    return float(score)


def _part_name(number: int) -> str:
    return f"part-{number:05d}.csv"


def _csv(rows: Floats) -> str:
    text = io.StringIO()
    for row in rows.tolist():
        text.write(",".join(map(repr, row)) + "\n")
    return text.getvalue()
