"""Rows and scores of forests inside Lambda, which only Cutwatch reads: arrays, exact and much faster to read than text."""

import io

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import MalformedObject, MalformedScores, NotFound
from cutwatch.features.recipe import FeatureRows
from cutwatch.timeseries.arrays import Epochs, Floats

_ROWS, _SCORES = "rows.npz", "scores.npz"


def write_rows(bucket: Bucket, prefix: str, features: FeatureRows) -> None:
    """Write the feature rows of a dataset with their epoch seconds."""
    _write(bucket, prefix + _ROWS, features.rows, features.epochs)


def read_rows(bucket: Bucket, prefix: str) -> FeatureRows:
    """Return the feature rows of a dataset. Raises `NotFound`, or `MalformedObject` if they are not `write_rows`'."""
    try:
        return FeatureRows(*_read(bucket, prefix + _ROWS))
    except ValueError as error:
        raise MalformedObject(f"{bucket.uri(prefix + _ROWS)} holds no rows: {error}") from None


def write_scores(bucket: Bucket, prefix: str, scores: Floats, epochs: Epochs) -> None:
    """Write the scores (n, k) of rows at epoch seconds (n,)."""
    _write(bucket, prefix + _SCORES, scores, epochs)


def read_scores(bucket: Bucket, prefix: str, expected: int) -> tuple[Epochs, Floats]:
    """Return the epoch seconds (n,) and scores (n, k) that `write_scores` wrote.

    Raises `MalformedScores` if they are missing, not finite or not of `expected` rows.
    """
    uri = bucket.uri(prefix + _SCORES)
    try:
        scores, epochs = _read(bucket, prefix + _SCORES)
    except NotFound:
        raise MalformedScores(f"the forest wrote no {uri}") from None
    except ValueError as error:
        raise MalformedScores(f"{uri} holds no scores: {error}") from None
    if len(scores) != expected:
        raise MalformedScores(f"{uri} holds {len(scores)} scores for {expected} rows")
    if not np.isfinite(scores).all():
        raise MalformedScores(f"{uri} holds a score that is not finite")
    return epochs, scores


def _write(bucket: Bucket, key: str, values: Floats, epochs: Epochs) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, values=values, epochs=epochs)
    bucket.write_bytes(key, buffer.getvalue())


def _read(bucket: Bucket, key: str) -> tuple[Floats, Epochs]:
    """Return values (n, k) and epoch seconds (n,), n and k at least 1. Raises `NotFound` or `ValueError`."""
    content = bucket.read_bytes(key)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            values, epochs = stored["values"], stored["epochs"]
    except Exception as error:  # zipfile and numpy have errors of their own
        raise ValueError(f"not arrays of rows: {error}") from error
    if values.dtype != np.float64 or epochs.dtype != np.int64:
        raise ValueError(f"values are {values.dtype}, epochs {epochs.dtype}")
    if values.ndim != 2 or not values.size or epochs.shape != values.shape[:1]:  # noqa: PLR2004 - rows and columns
        raise ValueError(f"values {values.shape} for epochs {epochs.shape}")
    return values, epochs
