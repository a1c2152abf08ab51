"""Events in the registry."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cutwatch.aws.dynamodb import Table
from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.parameters import DEFAULT
from cutwatch.registry.event_record import RecordedEvent, incidents
from cutwatch.registry.retention import expires_at
from cutwatch.timestamps import format_timestamp

# A longer incident has a part for each window, and no window is longer than this.
_LONGEST_PART = METRIC_MAX_AGE + timedelta(days=1)
# Between two parts of an incident.
_LONGEST_PAUSE = timedelta(seconds=DEFAULT.same_level_seconds)


@dataclass(frozen=True)
class EventStore:
    """The items `EVENT / <start>#<detector>`."""

    table: Table

    def record(self, events: Iterable[RecordedEvent], now: datetime) -> None:
        """Record the events of a window. Recording them again changes nothing."""
        for event in events:
            self.table.put({"pk": "EVENT", "expires_at": expires_at(now), **event.to_item()})

    def replace(
        self,
        detector: str,
        incident: AnomalyEvent,
        parts: Sequence[AnomalyEvent],
        run: str,
        now: datetime,
    ) -> None:
        """Record the parts of an incident in place of those that the same run recorded of it before."""
        recorded = [RecordedEvent(detector, part, run) for part in parts]
        kept = {each.sort_key for each in recorded}
        for each in self._starting(incident.begins, incident.ends):
            is_own = (each.detector, each.event.id, each.run) == (detector, incident.id, run)
            if is_own and each.sort_key not in kept:
                self.table.delete("EVENT", each.sort_key)
        self.record(recorded, now)

    def between(self, since: datetime, until: datetime) -> list[RecordedEvent]:
        """Return all detectors' incidents that overlap a time range, from their beginning to their end, newest first."""
        first, last = since - _LONGEST_PART, until + _LONGEST_PAUSE
        parts = self._starting(first, last)
        parts += self._before(first, parts)
        shown = {
            each.event.id
            for each in incidents(parts)
            if each.event.ends >= since and each.event.begins <= until
        }
        parts = [part for part in parts if part.event.id in shown]
        return incidents([*parts, *self._after(last, parts)])

    def _before(self, first: datetime, parts: Sequence[RecordedEvent]) -> list[RecordedEvent]:
        """Return the parts that start before `first` of incidents that had begun by then."""
        begun = {part.event.id for part in parts if not part.event.continues}
        begins = {p.event.id: p.incident_begins for p in parts if p.event.id not in begun}
        if not begins or (earliest := min(begins.values())) >= first:
            return []
        return [part for part in self._starting(earliest, first) if part.event.id in begins]

    def _after(self, last: datetime, parts: Sequence[RecordedEvent]) -> list[RecordedEvent]:
        """Return the parts that start after `last` of incidents that go on."""
        names = {part.event.id for part in parts}
        later: list[RecordedEvent] = []
        reach = max((part.event.ends for part in parts), default=last) + _LONGEST_PAUSE
        while parts and reach > last:
            found = [part for part in self._starting(last, reach) if part.event.id in names]
            last, reach = reach, max((p.event.ends + _LONGEST_PAUSE for p in found), default=reach)
            later += found
        return later

    def _starting(self, first: datetime, last: datetime) -> list[RecordedEvent]:
        """Return the parts that start in a time range, both ends included."""
        between = (format_timestamp(first), f"{format_timestamp(last)}~")
        return [*map(RecordedEvent.from_item, self.table.query("EVENT", between=between))]
