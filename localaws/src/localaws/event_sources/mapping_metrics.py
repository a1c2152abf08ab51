"""Metrics of an event source mapping that its MetricsConfig asks for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localaws.event_sources.batches import FOREVER

_Record = Mapping[str, Any]
# Puts a metric: namespace, name, value, unit, dimensions.
RecordMetric = Callable[[str, str, float, str, Mapping[str, str]], None]
# The groups that are published here, by what describes the source's mappings.
GROUPS: Mapping[str, Sequence[str]] = {
    "dynamodb": ("EventCount",),
    "kafka": ("EventCount", "ErrorCount"),
    "kinesis": ("EventCount",),
}


class MappingMetrics:
    """Counts events and errors of mappings, under their UUIDs; a group that a mapping does not ask for is not published."""

    def __init__(self, record_metric: RecordMetric) -> None:
        self._record_metric = record_metric

    def polled(self, record: _Record, read: int, wanted: int) -> None:
        """Count the records of a page, and those that the mapping's filters left out."""
        self._events(record, "PolledEventCount", read)
        if record.get("FilterCriteria"):
            self._events(record, "FilteredOutEventCount", read - wanted)

    def invoked(self, record: _Record, events: int, *, failed: bool) -> None:
        """Count the events of an invocation, whether it was made or not, and those of one that failed, if only in part."""
        self._events(record, "InvokedEventCount", events)
        if failed:
            self._events(record, "FailedInvokeEventCount", events)
            self._errors(record, "InvokeErrorCount")

    def declared(self, record: _Record, events: int) -> None:
        """Count events that a destination took."""
        self._events(record, "OnFailureDestinationDeliveredEventCount", events)

    def dropped(self, record: _Record, events: int, *, too_old: bool) -> None:
        """Count events of a mapping without a destination, except those that their source did not keep any longer."""
        if not too_old or record["MaximumRecordAgeInSeconds"] != FOREVER:
            self._events(record, "DroppedEventCount", events)

    def not_declared(self, record: _Record, events: int) -> None:
        """Count events that their destination did not take."""
        self._events(record, "DroppedEventCount", events)
        self._errors(record, "OnFailureDestinationDeliveryErrorCount")

    def _events(self, record: _Record, name: str, value: int) -> None:
        self._count(record, "EventCount", name, value)

    def _errors(self, record: _Record, name: str) -> None:
        self._count(record, "ErrorCount", name, 1)

    def _count(self, record: _Record, group: str, name: str, value: int) -> None:
        if group in asked_of(record):
            dimensions = {"EventSourceMappingUUID": record["UUID"]}
            self._record_metric("AWS/Lambda", name, float(value), "Count", dimensions)


def asked_of(parameters: _Record) -> Sequence[str]:
    """Return the groups of metrics that a mapping, or a request for one, asks for."""
    groups: Sequence[str] = (parameters.get("MetricsConfig") or {}).get("Metrics") or ()
    return groups
