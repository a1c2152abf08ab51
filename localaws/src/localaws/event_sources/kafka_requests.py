"""Requests for Kafka mappings: what is refused, and the settings of their loop."""

from collections.abc import Iterable, Mapping
from typing import Any

from function_consumer.queue import Settings
from localaws.event_sources.requests import KAFKA_DEFAULTS, refused

_Parameters = Mapping[str, Any]
# Without event pollers of its own, a mapping retries a batch until its records expire.
_OF_PROVISIONED_MODE = (
    "BisectBatchOnFunctionError",
    "FunctionResponseTypes",
    "MaximumRecordAgeInSeconds",
    "MaximumRetryAttempts",
)
_POLLERS = {"MinimumPollers": range(1, 200 + 1), "MaximumPollers": range(1, 2_000 + 1)}
_DEFAULT_POLLERS = {"MinimumPollers": 1, "MaximumPollers": 200}


def check(record: _Parameters) -> None:
    """Refuse what is missing, contradicts itself, or belongs to provisioned mode."""
    if len(record.get("Topics") or []) != 1:
        raise refused("Topics must have exactly one topic.")
    if "EventSourceArn" in record and "SelfManagedEventSource" in record:
        raise refused("EventSourceArn and SelfManagedEventSource exclude each other.")
    if "SelfManagedEventSource" in record and not servers_of(record):
        raise refused("SelfManagedEventSource needs Endpoints with KAFKA_BOOTSTRAP_SERVERS.")
    _check_pollers(record["ProvisionedPollerConfig"])
    _check_mode(record)


def _check_mode(record: _Parameters) -> None:
    if not record["ProvisionedPollerConfig"]:
        for name in _OF_PROVISIONED_MODE:
            if record[name] != KAFKA_DEFAULTS[name]:
                raise refused(f"{name} of a Kafka mapping needs ProvisionedPollerConfig.")


def _check_pollers(given: Mapping[str, int]) -> None:
    for name, allowed in _POLLERS.items():
        if name in given and given[name] not in allowed:
            last = allowed.stop - 1
            raise refused(f"{name} must be between {allowed.start} and {last}, not {given[name]}")
    pollers = _DEFAULT_POLLERS | dict(given)
    if pollers["MinimumPollers"] > pollers["MaximumPollers"]:
        raise refused("MinimumPollers must not be greater than MaximumPollers.")


def pollers(record: _Parameters, partitions: int) -> int:
    """Return how many members the group has: one without provisioned mode, and never more than partitions above the minimum."""
    given = record["ProvisionedPollerConfig"]
    if not given:
        return 1
    bounds = _DEFAULT_POLLERS | dict(given)
    return int(max(bounds["MinimumPollers"], min(partitions, bounds["MaximumPollers"])))


def servers_of(record: _Parameters) -> str:
    """Return the brokers of a self-managed cluster."""
    endpoints = record["SelfManagedEventSource"].get("Endpoints") or {}
    return ",".join(endpoints.get("KAFKA_BOOTSTRAP_SERVERS") or [])


def group_of(record: _Parameters) -> str:
    """Return the consumer group; a mapping without one has its own id."""
    for name in ("AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig"):
        if group := (record.get(name) or {}).get("ConsumerGroupId"):
            return str(group)
    return str(record["UUID"])


def check_group(record: _Parameters, others: Iterable[_Parameters]) -> None:
    """Refuse the consumer group of another Kafka mapping: each would get a part of the records."""
    group = group_of(record)
    for other in others:
        if group_of(other) == group:
            raise refused(
                f"ConsumerGroupId must be unique among all Kafka event sources; mapping {other['UUID']} has {group}."
            )


def access_of(record: _Parameters) -> Mapping[str, str]:
    """Return the URIs of the mapping's SourceAccessConfigurations by type."""
    return {each["Type"]: each["URI"] for each in record["SourceAccessConfigurations"]}


def settings_of(record: _Parameters) -> Settings:
    return Settings(
        batch_size=record["BatchSize"],
        batching_seconds=record["MaximumBatchingWindowInSeconds"],
        bisect=record["BisectBatchOnFunctionError"],
        retries=record["MaximumRetryAttempts"],
        record_age_seconds=record["MaximumRecordAgeInSeconds"],
        reports_failures="ReportBatchItemFailures" in record["FunctionResponseTypes"],
    )
