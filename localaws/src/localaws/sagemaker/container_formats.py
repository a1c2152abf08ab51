"""Formats of the Random Cut Forest container: what a request's body may be, and what an answer's."""

import json
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import numpy as np

from localaws.sagemaker.random_cut_forest import Rows, jsonlines

JSON, JSONLINES, CSV = "application/json", "application/jsonlines", "text/csv"


class ContainerError(Exception):
    """The container's own refusal, which SageMaker reports as a ModelError."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def read_rows(content_type: str, body: bytes, columns: int) -> Rows:
    """Return the rows of a request."""
    kind = content_type.partition(";")[0].strip().lower()
    reader = _READERS.get(kind)
    if reader is None:
        raise ContainerError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-type {kind or 'none'} not supported"
        )
    try:
        rows = np.array(reader(body.decode()), dtype=np.float64)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _unreadable(f"unable to read the request as {kind}") from None
    if rows.size == 0 or rows.ndim != 2 or not np.isfinite(rows).all():
        raise _unreadable(f"unable to read the request as {kind}: not rows of finite numbers")
    if rows.shape[1] != columns:
        raise _unreadable(
            f"the rows have {rows.shape[1]} features, and the model was trained with {columns}"
        )
    return rows


def write_scores(accept: str, scores: Sequence[float]) -> tuple[str, bytes]:
    """Return the content type and the body of an answer; JSON unless JSON lines are accepted alone."""
    accepted = [kind.partition(";")[0].strip().lower() for kind in accept.split(",") if kind]
    if not accepted or {JSON, "*/*"} & set(accepted):
        return JSON, json.dumps({"scores": [{"score": each} for each in scores]}).encode()
    if JSONLINES in accepted:
        return JSONLINES, jsonlines(scores)
    raise ContainerError(HTTPStatus.NOT_ACCEPTABLE, f"Accept {accept} not supported")


def _unreadable(message: str) -> ContainerError:
    return ContainerError(HTTPStatus.BAD_REQUEST, message)


def _csv(text: str) -> list[list[float]]:
    return [[float(cell) for cell in line.split(",")] for line in text.splitlines() if line.strip()]


def _json(text: str) -> list[Any]:
    return [_features(instance) for instance in json.loads(text)["instances"]]


def _json_lines(text: str) -> list[Any]:
    return [_features(json.loads(line)) for line in text.splitlines() if line.strip()]


def _features(instance: Mapping[str, Any]) -> Any:
    """Return the numbers of an instance in either of its dense shapes."""
    features = instance["features"] if "features" in instance else instance["data"]["features"]
    return features["values"] if isinstance(features, Mapping) else features


_READERS: Mapping[str, Callable[[str], list[Any]]] = {
    CSV: _csv,
    JSON: _json,
    JSONLINES: _json_lines,
}
