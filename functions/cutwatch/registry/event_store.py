"""Events in the registry."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.registry.event_record import RecordedEvent, incidents
from cutwatch.registry.retention import expires_at
from cutwatch.timestamps import format_timestamp

# A longer incident has a part for each window, and no window is longer than this.
_LONGEST_PART = METRIC_MAX_AGE + timedelta(days=1)


@dataclass(frozen=True)
class EventStore:
    """The items `EVENT / <start>#<detector>`."""

    table: Table

    def record(self, events: Iterable[RecordedEvent], now: datetime) -> None:
        """Record the events of a window. Recording them again changes nothing."""
        for event in events:
            self.table.put({"pk": "EVENT", "expires_at": expires_at(now), **event.to_item()})

    def between(self, since: datetime, until: datetime) -> list[RecordedEvent]:
        """Return all detectors' incidents that overlap a time range, both ends included, newest first."""
        between = (format_timestamp(since - _LONGEST_PART), f"{format_timestamp(until)}~")
        parts = map(RecordedEvent.from_item, self.table.query("EVENT", between=between))
        return incidents(part for part in parts if part.ends >= since and part.begins <= until)
