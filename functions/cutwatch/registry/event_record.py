"""Events in the registry, ordered by start over all detectors."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.timestamps import parse_timestamp


@dataclass(frozen=True)
class RecordedEvent:
    """An event of a detector in one window; `run` is the id of the run that found it."""

    detector: str
    event: AnomalyEvent
    run: str

    @property
    def begins(self) -> datetime:
        """The time of the first datapoint."""
        return parse_timestamp(self.event.start)

    @property
    def ends(self) -> datetime:
        """The time of the last datapoint."""
        return parse_timestamp(self.event.end)

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
    for part in sorted(parts, key=lambda part: (part.begins, part.detector)):
        known = found.get(part.event.id)
        found[part.event.id] = _joined(known, part) if known else part
    return sorted(found.values(), key=lambda each: (each.begins, each.detector), reverse=True)


def _joined(earlier: RecordedEvent, later: RecordedEvent) -> RecordedEvent:
    most_severe = max(earlier.event, later.event, key=lambda event: event.gravity)
    event = replace(
        most_severe,
        start=earlier.event.start,
        end=max(earlier.event.end, later.event.end),
        datapoints=earlier.event.datapoints + _datapoints_after(later, earlier.ends),
        continues=earlier.event.continues,
    )
    return replace(earlier, event=event)


def _datapoints_after(part: RecordedEvent, end: datetime) -> int:
    """Count a part's datapoints, one per period, after `end`: a window classifies the end of the one before again."""
    if part.begins > end:
        return part.event.datapoints
    if part.ends <= end:
        return 0
    return round((part.event.datapoints - 1) * ((part.ends - end) / (part.ends - part.begins)))
