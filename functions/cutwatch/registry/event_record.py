"""Events in the registry, ordered by start over all detectors."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from cutwatch.detection.anomaly_event import AnomalyEvent, event_start
from cutwatch.detection.incidents import joined
from cutwatch.timestamps import parse_timestamp


@dataclass(frozen=True)
class RecordedEvent:
    """An event of a detector in one window; `run` is the id of the run that found it."""

    detector: str
    event: AnomalyEvent
    run: str

    @property
    def incident_begins(self) -> datetime:
        """The time of the first datapoint of the whole incident."""
        return parse_timestamp(event_start(self.event.id))

    @property
    def sort_key(self) -> str:
        """The sort key. Recording the same event of the same window again writes the same item."""
        return f"{self.event.start}#{self.detector}"

    def to_item(self) -> dict[str, Any]:
        """Return the item without partition key and expiry."""
        event = json.dumps(asdict(self.event))
        return {"sk": self.sort_key, "detector": self.detector, "event": event, "run": self.run}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "RecordedEvent":
        """Read the item that `to_item` wrote."""
        return cls(
            item["detector"], AnomalyEvent.from_payload(json.loads(item["event"])), item["run"]
        )


def incidents(parts: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """Join the parts of each incident into one event with the highest severity; newest first."""
    found: dict[str, RecordedEvent] = {}
    for part in sorted(parts, key=lambda part: (part.event.begins, part.detector)):
        known = found.get(part.event.id)
        found[part.event.id] = (
            replace(known, event=joined(known.event, part.event)) if known else part
        )
    newest_last = sorted(found.values(), key=lambda each: (each.event.begins, each.detector))
    return newest_last[::-1]
