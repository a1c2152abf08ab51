"""Instrumentation of all handlers: structured logs, traces, operational metrics."""

import logging
import os
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from cutwatch.errors import InvalidInput

# Most functions publish no metrics; an unstructured log line per invocation is noise.
warnings.filterwarnings("ignore", message="No application metrics to publish")

# botocore logs at INFO where it found credentials and endpoints, at every cold start.
logging.getLogger("botocore").setLevel(logging.WARNING)

logger = Logger()
# Lambda's level comes first for Powertools, but above INFO it would drop the metrics too: it stays at INFO, and this
# logger alone has the level of the setting.
logging.getLogger(logger.name).setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL") or logging.INFO)
# All calls of functions go through botocore: patching more only imports more.
tracer = Tracer(patch_modules=("botocore",))
metrics = Metrics()

# Share of an invocation's time in which no bucket is begun any more.
RESERVE = 0.2

Payload = dict[str, Any]
Handler = Callable[[Payload, LambdaContext], Payload]
Answer = TypeVar("Answer")


def observed(function: Callable[[Payload], Payload]) -> Handler:
    """Wrap a function as a Lambda handler: every log line has detector, run and execution."""

    @wraps(function)
    def answered(event: Payload, _own_arn: str) -> Payload:
        logger.append_keys(**_subject(event))
        logger.debug("received", payload=event)
        answer = function(checked(event))
        logger.info("done", result=answer)
        return answer

    return _handler(answered)


def observed_batch(function: Callable[[Any, Callable[[], bool]], Payload]) -> Handler:
    """Wrap a function that takes a mapping's event, and a function that returns False once the invocation should end.

    Records never reach the log.
    """

    @wraps(function)
    @tracer.capture_lambda_handler(capture_response=False)
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: Any, context: LambdaContext) -> Payload:
        whole = context.get_remaining_time_in_millis()

        def has_time() -> bool:
            return context.get_remaining_time_in_millis() > RESERVE * whole

        try:
            return function(event, has_time)
        except Exception as error:
            logger.exception("failed", reason=f"{type(error).__name__}: {error}")
            raise

    return handler


def observed_drawing(function: Callable[[Payload, str], str]) -> Callable[..., str]:
    """Wrap a function that draws: it gets its own ARN, and its answer is too long for a log line."""

    @wraps(function)
    def drawn(event: Payload, own_arn: str) -> str:
        chosen = event.get("detector")
        logger.append_keys(detector=chosen if isinstance(chosen, str) else None)
        answer = function(event, own_arn)
        logger.info("drawn", characters=len(answer))
        return answer

    return _handler(drawn)


def _handler(
    function: Callable[[Payload, str], Answer],
) -> Callable[[Payload, LambdaContext], Answer]:
    @wraps(function)
    @metrics.log_metrics
    @tracer.capture_lambda_handler(capture_response=False)
    @logger.inject_lambda_context(clear_state=True)
    def handler(event: Payload, context: LambdaContext) -> Answer:
        try:
            return function(event, context.invoked_function_arn)
        except Exception as error:
            metrics.add_metric("Errors", MetricUnit.Count, 1)
            logger.exception("failed", reason=f"{type(error).__name__}: {error}")
            raise

    return handler


class _StrictPayload(dict[str, Any]):
    """Payload that names a missing field, where a plain dict would only raise KeyError."""

    def __missing__(self, field: str) -> Any:
        raise InvalidInput(f"the payload has no {field!r}; see the samples in events/")


def checked(event: Any) -> Payload:
    """Wrap an event so that missing fields are named. Raises `InvalidInput` if it is not an object."""
    if not isinstance(event, dict):
        raise InvalidInput(f"the payload is {type(event).__name__}; expected an object")
    strict: Payload = _strict(event)
    return strict


def _strict(value: Any) -> Any:
    if isinstance(value, dict):
        return _StrictPayload({name: _strict(member) for name, member in value.items()})
    return [_strict(member) for member in value] if isinstance(value, list) else value


def count(name: str, value: float = 1) -> None:
    """Add to an operational metric of this function."""
    metrics.add_metric(name, MetricUnit.Count, value)


def _subject(event: Any) -> dict[str, Any]:
    """Return the log keys of an event; a batch of several detectors names each one where it fails."""
    if not isinstance(event, dict):
        return {}
    alone = [event["detector"]] if event.get("detector") else event.get("detectors") or []
    only = alone[0] if isinstance(alone, list) and len(alone) == 1 else None
    return {
        "detector": _member(only, "name"),
        "run": _member(event.get("run"), "id"),
        "execution": event.get("execution"),
    }


def _member(value: Any, name: str) -> Any:
    """Return a member if there is one: a log line must not fail for an event that the handler will reject."""
    return value.get(name) if isinstance(value, dict) else None
