"""Events as the registry remembers them: by when they began, whichever detector they are of."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.timestamps import parse_timestamp


@dataclass(frozen=True)
class RecordedEvent:
    """An event of a detector, or the part of it that one window saw; `run` is the id of the run that saw it."""

    detector: str
    event: AnomalyEvent
    run: str

    @property
    def begins(self) -> datetime:
        """Its first datapoint."""
        return parse_timestamp(self.event.start)

    @property
    def ends(self) -> datetime:
        """Its last datapoint."""
        return parse_timestamp(self.event.end)

    @property
    def sort_key(self) -> str:
        """What it is found by. The same part of the same window is the same item, however often it is recorded."""
        return f"{self.event.start}#{self.detector}"

    def to_item(self) -> dict[str, Any]:
        """As the registry keeps it, less partition and expiry."""
        event = json.dumps(asdict(self.event))
        return {"sk": self.sort_key, "detector": self.detector, "event": event, "run": self.run}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "RecordedEvent":
        """Read back what `to_item` wrote."""
        return cls(
            item["detector"], AnomalyEvent.from_payload(json.loads(item["event"])), item["run"]
        )


def incidents(parts: Iterable[RecordedEvent]) -> list[RecordedEvent]:
    """The parts of each incident as one event, newest first: as grave as its gravest part."""
    found: dict[str, RecordedEvent] = {}
    for part in sorted(parts, key=lambda part: (part.begins, part.detector)):
        known = found.get(part.event.id)
        found[part.event.id] = _joined(known, part) if known else part
    return sorted(found.values(), key=lambda each: (each.begins, each.detector), reverse=True)


def _joined(earlier: RecordedEvent, later: RecordedEvent) -> RecordedEvent:
    gravest = max(earlier.event, later.event, key=lambda event: event.gravity)
    event = replace(
        gravest,
        start=earlier.event.start,
        end=max(earlier.event.end, later.event.end),
        datapoints=earlier.event.datapoints + _datapoints_after(later, earlier.ends),
        continues=earlier.event.continues,
    )
    return replace(earlier, event=event)


def _datapoints_after(part: RecordedEvent, moment: datetime) -> int:
    """How many of a part's datapoints, one a period, are later: a window judges the end of the one before again."""
    if part.begins > moment:
        return part.event.datapoints
    if part.ends <= moment:
        return 0
    return round((part.event.datapoints - 1) * ((part.ends - moment) / (part.ends - part.begins)))
