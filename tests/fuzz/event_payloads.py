"""Events of the functions of a batch: refused before anything is written, or each detector has an outcome of ours."""

import inspect
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib import import_module
from typing import Any
from unittest.mock import patch

from cutwatch import errors
from cutwatch.errors import CutwatchError, InvalidInput, NotFound
from cutwatch.observability import checked, logger
from cutwatch.registry.run import RunRequest
from tests.fuzz.harness import Harness, names
from tests.fuzz.mutations import of_json
from tests.support.sample_events import EVENTS, sample

BATCH_FUNCTIONS = (
    "store_metric_data",
    "train_forest",
    "score_forest",
    "register_model",
    "publish_anomalies",
)
_ENVIRONMENT = {
    "TABLE_NAME": "table",
    "BUCKET_NAME": "bucket",
    "DATA_DELAY_MINUTES": "15",
    "FIRST_WINDOW_DAYS": "7",
    "CUTOFF_SIGMAS": "3",
    "ANOMALY_NAMESPACE": "Cutwatch",
}
_STARTED = "2026-11-02T04:00:03Z"
_OURS = {
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, CutwatchError)
}


class EmptyAccount:
    """Clients of an account that holds nothing; `written` are the requests that would have changed it."""

    def __init__(self) -> None:
        self.written: list[tuple[str, Mapping[str, Any]]] = []

    def client(self, _: str) -> "EmptyAccount":
        return self

    def get_object(self, **_: Any) -> None:
        raise NotFound("GetObject", "NoSuchKey", "nothing is here")

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        asked = [each["Id"] for each in request["MetricDataQueries"] if each["ReturnData"]]
        nothing = {"Timestamps": [], "Values": [], "StatusCode": "Complete"}
        return {"MetricDataResults": [{"Id": each, **nothing} for each in asked]}

    def get_paginator(self, _: str) -> "EmptyAccount":
        return self

    def paginate(self, **_: Any) -> list[dict[str, Any]]:
        return [{"Metrics": []}]

    def __getattr__(self, operation: str) -> Any:
        if not operation.startswith(("put_", "update_", "delete_")):
            raise AttributeError(operation)
        return lambda **request: self.written.append((operation, request))


@cache
def _handler(function: str) -> Any:
    """Without what `observed` adds: traces and metrics say nothing here."""
    return import_module(function), inspect.unwrap(import_module(function).handler)


@contextmanager
def _settings() -> Iterator[None]:
    """Set the functions' environment, and keep quiet: once an input, for it takes longer than most of its checks."""
    level = logger.log_level
    with patch.dict(os.environ, _ENVIRONMENT), patch("cutwatch.runs.batch.count", _uncounted):
        logger.setLevel("CRITICAL")
        try:
            yield
        finally:
            logger.setLevel(level)


def _uncounted(*_: Any, **__: Any) -> None:
    """Stand in for `count` where a mock would remember every call."""


def _invoke(function: str, event: Any, account: EmptyAccount) -> None:
    module, handler = _handler(function)
    with ExitStack() as patches:
        patches.enter_context(patch.object(module, "client", account.client))
        if hasattr(module, "count"):
            patches.enter_context(patch.object(module, "count", _uncounted))
        handler(checked(event))


def check(data: bytes) -> None:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return
    _check_run_request(event)
    with _settings():
        for function in BATCH_FUNCTIONS:
            _check_function(function, event)


def _check_function(function: str, event: Any) -> None:
    account = EmptyAccount()
    try:
        _invoke(function, event, account)
    except InvalidInput as error:
        names(error)
        assert account.written == [], f"{function} refused, and wrote {account.written}"
    for outcome in _outcomes(account):
        error_name = outcome["message"]["S"].partition(":")[0]
        assert outcome["status"]["S"] != "FAILED" or _is_ours(error_name), outcome


def _check_run_request(event: Any) -> None:
    try:
        request = RunRequest.from_event("transform", event, _STARTED)
    except InvalidInput as error:
        names(error)
    else:
        assert 2009 <= request.scheduled_time.year <= 2026


def _outcomes(account: EmptyAccount) -> Iterator[Mapping[str, Any]]:
    for operation, request in account.written:
        if operation == "put_item" and "status" in request["Item"]:
            yield request["Item"]


def _is_ours(error_name: str) -> bool:
    """Also the outcome of a transform without a model, which is a sentence."""
    return error_name in _OURS or error_name.startswith("no usable model")


def _seeds() -> Iterator[bytes]:
    for function in BATCH_FUNCTIONS:
        event = sample(function)
        yield json.dumps(event).encode()
        training = event["run"] | {"kind": "training", "id": "training-20261102T040000Z"}
        yield json.dumps(event | {"run": training, "retries": 6}).encode()
    ratio = {
        "name": "rate",
        "expression": "100 * e",
        "metrics": {"e": {"namespace": "Shop", "metric": "E", "statistic": "Sum"}},
        "exclude": [{"start": "22:00", "end": "06:00", "days": ["monday"]}],
        "features": ["value"],
        "minimum_deviation": {"absolute": 1.5, "relative": 1},
    }
    yield json.dumps(sample("store_metric_data") | {"detectors": [ratio]}).encode()
    yield (EVENTS / "transform.json").read_bytes()


EVENT_PAYLOADS = Harness(
    check,
    tuple(_seeds()),
    words=("null", "true", "-1", "1e999", "NaN", "[]", "{}", "\\u0000", "\\ud800", "../"),
    mutation=of_json,
)
