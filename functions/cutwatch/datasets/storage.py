"""Datasets in S3: feature rows for SageMaker, their timestamps, and a description that is written last.

A dataset whose description exists is complete and is never written again, so every retry and every doubled run works
on the same rows.
"""

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.keys import ROWS
from cutwatch.errors import MalformedObject, MalformedScores, NotFound
from cutwatch.features.recipe import FeatureRows

_TIMESTAMPS = "timestamps.csv"
_DESCRIPTION = "description.json"


def find_description(bucket: Bucket, prefix: str) -> dict[str, Any] | None:
    """The description of a dataset that was stored completely, or None."""
    try:
        description: dict[str, Any] = bucket.read_json(prefix + _DESCRIPTION)
    except NotFound:
        return None
    return description


def read_description(bucket: Bucket, prefix: str) -> dict[str, Any]:
    """The description of a dataset; raises `NotFound` naming the dataset if it was not stored completely."""
    description = find_description(bucket, prefix)
    if description is None:
        raise NotFound("GetObject", "NoSuchKey", f"no dataset below {prefix}")
    return description


def store_dataset(
    bucket: Bucket,
    prefix: str,
    features: FeatureRows,
    files: int,
    description: Mapping[str, Any],
) -> None:
    """Write rows (split into `files` objects, one for each instance), timestamps, then the description."""
    for number, part in enumerate(np.array_split(features.rows, files)):
        bucket.write(f"{prefix}{ROWS}{_part_name(number)}", _csv(part))
    bucket.write(prefix + _TIMESTAMPS, "".join(f"{epoch}\n" for epoch in features.epochs))
    bucket.write(prefix + _DESCRIPTION, json.dumps(description))


def read_rows(bucket: Bucket, prefix: str, files: int) -> NDArray[np.float64]:
    """The feature rows (n, dimensions) of a dataset, in order."""
    texts = [bucket.read(f"{prefix}{ROWS}{_part_name(number)}") for number in range(files)]
    if not any(text.strip() for text in texts):
        raise MalformedObject(f"{bucket.uri(prefix + ROWS)} holds no rows")
    try:
        return np.loadtxt(io.StringIO("".join(texts)), delimiter=",", ndmin=2)
    except ValueError as error:
        raise MalformedObject(f"{bucket.uri(prefix + ROWS)} holds no rows: {error}") from None


def write_scores(bucket: Bucket, prefix: str, scores: NDArray[np.float64]) -> None:
    """Write scores (n,) as a transform job of one instance does."""
    lines = "".join(f'{{"score": {score!r}}}\n' for score in scores.tolist())
    bucket.write(f"{prefix}{_part_name(0)}.out", lines)


def read_epochs(bucket: Bucket, prefix: str) -> NDArray[np.int64]:
    """The epoch second of every row of a dataset, in order."""
    try:
        return np.array([int(line) for line in bucket.read(prefix + _TIMESTAMPS).split()], np.int64)
    except (ValueError, OverflowError) as error:
        raise MalformedObject(f"{bucket.uri(prefix + _TIMESTAMPS)}: {error}") from None


def read_scores(bucket: Bucket, prefix: str, files: int, expected: int) -> NDArray[np.float64]:
    """The anomaly scores a transform job wrote, in the order of the rows they belong to.

    Raises `MalformedScores` when an object is missing or is not jsonlines of finite scores, or when
    their number is not `expected`.
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


def _csv(rows: NDArray[np.float64]) -> str:
    text = io.StringIO()
    for row in rows.tolist():
        text.write(",".join(map(repr, row)) + "\n")
    return text.getvalue()
