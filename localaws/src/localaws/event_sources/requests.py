"""CreateEventSourceMapping and UpdateEventSourceMapping for streams: what is refused, and what is described afterwards."""

from collections.abc import Mapping
from typing import Any

from localaws.api_request import operation_model
from localaws.api_response import ApiError
from localaws.event_sources.batches import FOREVER, Settings
from localaws.event_sources.filters import predicate
from localaws.event_sources.mapping_metrics import GROUPS, asked_of
from localaws.limits import LAMBDA_MAPPING_RECORD_AGE_SECONDS
from localaws.request_validation import problems

_Parameters = Mapping[str, Any]
DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": FOREVER,
    "MaximumRetryAttempts": FOREVER,
    "MetricsConfig": {"Metrics": []},
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
_IDENTITY = frozenset(
    {
        "Enabled",
        "EventSourceArn",
        "FilterCriteria",
        "FunctionName",
        "StartingPosition",
        "StartingPositionTimestamp",
        "Tags",
    }
)
STREAMS = frozenset({"dynamodb", "kinesis"})
STREAM_PROPERTIES = frozenset(DEFAULTS) | _IDENTITY
KAFKA_DEFAULTS: Mapping[str, Any] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "FunctionResponseTypes": [],
    "MaximumBatchingWindowInSeconds": 0,
    "MaximumRecordAgeInSeconds": FOREVER,
    "MaximumRetryAttempts": FOREVER,
    "MetricsConfig": {"Metrics": []},
    "ProvisionedPollerConfig": {},
    "SourceAccessConfigurations": [],
}
KAFKA_PROPERTIES = (
    frozenset(KAFKA_DEFAULTS)
    | (_IDENTITY - {"FilterCriteria"})
    | {
        "AmazonManagedKafkaEventSourceConfig",
        "SelfManagedEventSource",
        "SelfManagedKafkaEventSourceConfig",
        "Topics",
    }
)
# What has an effect in MiniStack's own pollers.
OTHER_PROPERTIES: Mapping[str, frozenset[str]] = {
    "sqs": frozenset(
        {
            "BatchSize",
            "Enabled",
            "EventSourceArn",
            "FilterCriteria",
            "FunctionName",
            "FunctionResponseTypes",
            "ScalingConfig",
            "Tags",
        }
    ),
}
_STARTS = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")


def refused(message: str) -> ApiError:
    return ApiError("InvalidParameterValueException", message)


def check_supported(service: str, parameters: _Parameters) -> None:
    """Refuse, by its name, a parameter that would have no effect on a source of this service."""
    known = STREAM_PROPERTIES if service in STREAMS else OTHER_PROPERTIES.get(service)
    if service == "kafka":
        known = KAFKA_PROPERTIES
    if known is None:
        return
    for name in sorted(parameters.keys() - known - {"UUID"}):
        if parameters[name] != DEFAULTS.get(name, _ALWAYS):
            raise refused(
                f"The local AWS does not implement {name} of event source mappings of {service}"
            )
    _check_metrics(service, parameters)


def _check_metrics(service: str, parameters: _Parameters) -> None:
    for group in asked_of(parameters):
        if group not in GROUPS[service]:
            raise refused(
                f"The local AWS does not implement the metrics {group} of event source mappings of {service}"
            )


def check(operation: str, parameters: _Parameters) -> None:
    """Refuse parameters out of their ranges."""
    shape = operation_model("lambda", operation).input_shape
    assert shape is not None  # noqa: S101 - both operations have one
    found = problems(parameters, shape)
    if found:
        plural = "error" if len(found) == 1 else "errors"
        listed = "; ".join(found)
        raise ApiError(
            "ValidationException", f"{len(found)} validation {plural} detected: {listed}"
        )
    _check_age(parameters.get("MaximumRecordAgeInSeconds", FOREVER))
    predicate(parameters.get("FilterCriteria"))
    destinations = parameters.get("DestinationConfig") or {}
    if destinations.get("OnSuccess"):
        raise refused("OnSuccess destinations are not supported for event source mappings.")


def check_start(parameters: _Parameters) -> None:
    position = parameters.get("StartingPosition")
    if position not in _STARTS:
        raise refused("StartingPosition must be one of: " + ", ".join(_STARTS))
    if (position == "AT_TIMESTAMP") != ("StartingPositionTimestamp" in parameters):
        raise refused(
            "StartingPositionTimestamp is required for, and only for, StartingPosition AT_TIMESTAMP."
        )


def check_together(record: _Parameters) -> None:
    """Refuse settings that do not go with each other."""
    if record["TumblingWindowInSeconds"] and record["ParallelizationFactor"] > 1:
        raise refused(
            "The local AWS does not implement TumblingWindowInSeconds with a ParallelizationFactor "
            "above 1"
        )


def settings_of(record: _Parameters) -> Settings:
    return Settings(
        batch_size=record["BatchSize"],
        batching_seconds=record["MaximumBatchingWindowInSeconds"],
        parallelization=record["ParallelizationFactor"],
        bisect=record["BisectBatchOnFunctionError"],
        retries=record["MaximumRetryAttempts"],
        record_age_seconds=record["MaximumRecordAgeInSeconds"],
        reports_failures="ReportBatchItemFailures" in record["FunctionResponseTypes"],
        tumbling_seconds=record["TumblingWindowInSeconds"],
    )


def destination_of(record: _Parameters) -> str | None:
    """Return the ARN of the queue, topic or bucket that receives batches that are given up."""
    on_failure = (record.get("DestinationConfig") or {}).get("OnFailure") or {}
    destination: str | None = on_failure.get("Destination")
    return destination


def _check_age(seconds: int) -> None:
    ages = LAMBDA_MAPPING_RECORD_AGE_SECONDS
    if seconds != FOREVER and seconds not in ages:
        raise refused(
            f"MaximumRecordAgeInSeconds must be -1 or between {ages.start} and {ages.stop - 1}, "
            f"not {seconds}"
        )


_ALWAYS = object()
