"""A bucket of live detectors: their datapoints since their stored series, incidents, and the outbox; one object in S3.

The series, with the forest, is an object of its own that is written once in hundreds of runs; everything else can be computed
from it and the datapoints that followed. So a run writes a few kilobytes for each detector.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from zlib import crc32

import numpy as np

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.errors import MalformedState, NewerState
from cutwatch.live.evaluation import Newest
from cutwatch.live.live_incident import IncidentChange, Incidents, LiveIncident, ended_early
from cutwatch.timeseries.arrays import Floats

# Increase with every change of the format; a bucket of a newer version is refused.
SCHEMA = 1
_MAGIC = b"cutwatch-live"


@dataclass(frozen=True)
class OutboxEntry:
    """A change of a detector's incident (`definition` is the detector), with the incident's parts in this window."""

    definition: Mapping[str, Any]
    change: IncidentChange
    parts: tuple[AnomalyEvent, ...]

    def to_payload(self) -> dict[str, Any]:
        """Return the entry as JSON values."""
        parts = [part.__dict__ for part in self.parts]
        return {"definition": self.definition, "change": self.change.to_payload(), "parts": parts}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` returned."""
        change = IncidentChange.from_payload(payload["change"])
        return cls(
            payload["definition"], change, tuple(map(AnomalyEvent.from_payload, payload["parts"]))
        )


@dataclass(frozen=True, eq=False)
class LiveState:
    """A detector's state. `values` (n,) are the datapoints from `stored_through` on, up to the watermark `through`.

    `basis` identifies entry, model and window, `series` is the S3 key of the stored series, None before the first.
    `problem` says why the detector is not scored; `definition` is the detector while an incident lasts, so that it can be
    notified as over after the entry is gone. Times are epoch seconds.
    """

    basis: str
    period: int
    series: str | None = None
    stored_through: int = 0
    values: Floats = field(default_factory=lambda: np.empty(0))
    incidents: Incidents = field(default_factory=dict)
    newest: Newest | None = None
    problem: str | None = None
    definition: Mapping[str, Any] | None = None

    @property
    def through(self) -> int:
        """The watermark."""
        return self.stored_through + self.period * len(self.values)

    @property
    def lasting(self) -> list[LiveIncident]:
        """Lasting incidents."""
        return [each for each in self.incidents.values() if not each.ended]

    def ended_early(self, reason: str) -> tuple[list[OutboxEntry], Incidents]:
        """End the incidents that last; return what is to be notified, and the incidents to know."""
        changes, incidents = ended_early(self.incidents, reason)
        definition = self.definition or {}
        return [OutboxEntry(definition, change, ()) for change in changes], incidents

    def to_payload(self) -> dict[str, Any]:
        """Return everything but the values as JSON values."""
        return {
            "basis": self.basis,
            "period": self.period,
            "series": self.series,
            "stored_through": self.stored_through,
            "through": self.through,
            "datapoints": len(self.values),
            "incidents": [each.to_payload() for each in self.incidents.values()],
            "newest": self.newest.to_payload() if self.newest else None,
            "problem": self.problem,
            "definition": self.definition if self.lasting else None,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any], values: Floats) -> Self:
        """Read back what `to_payload` returned."""
        incidents = map(LiveIncident.from_payload, payload["incidents"])
        return cls(
            payload["basis"],
            payload["period"],
            payload["series"],
            payload["stored_through"],
            values,
            {each.event.id: each for each in incidents},
            Newest.from_payload(payload["newest"]),
            payload["problem"],
            payload["definition"],
        )


@dataclass(slots=True)
class LiveBucket:
    """The states of a bucket's detectors by name, its outbox, and the series that nothing refers to any more."""

    states: dict[str, LiveState] = field(default_factory=dict)
    outbox: list[OutboxEntry] = field(default_factory=list)
    superseded: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """True if nothing is left to score, notify or delete."""
        return not (self.states or self.outbox or self.superseded)

    def copy(self) -> "LiveBucket":
        """Return a bucket that can be changed; states are values."""
        return replace(
            self,
            states=dict(self.states),
            outbox=list(self.outbox),
            superseded=list(self.superseded),
        )

    def to_bytes(self) -> bytes:
        """Return a line with version and checksum, a line of JSON, and the values as 64-bit floats."""
        body = b"".join(state.values.astype("<f8").tobytes() for state in self.states.values())
        header = json.dumps(
            {
                "states": {name: state.to_payload() for name, state in self.states.items()},
                "outbox": [entry.to_payload() for entry in self.outbox],
                "superseded": self.superseded,
            }
        ).encode()
        first = b"%s %d %d\n" % (_MAGIC, SCHEMA, crc32(header + b"\n" + body))
        return first + header + b"\n" + body

    @classmethod
    def from_bytes(cls, content: bytes) -> "LiveBucket":
        """Read back what `to_bytes` returned. Raises `MalformedState` for a newer version or damaged content."""
        first, _, rest = content.partition(b"\n")
        _check(first, rest)
        header, _, body = rest.partition(b"\n")
        try:
            return cls._read(json.loads(header), body)
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedState(f"not a bucket of live detectors: {error!r}") from error

    @classmethod
    def _read(cls, header: Mapping[str, Any], body: bytes) -> "LiveBucket":
        values, place = np.frombuffer(body, "<f8"), 0
        states: dict[str, LiveState] = {}
        for name, payload in header["states"].items():
            end = place + payload["datapoints"]
            states[name] = LiveState.from_payload(payload, values[place:end])
            place = end
        outbox = [OutboxEntry.from_payload(each) for each in header["outbox"]]
        return cls(states, outbox, [*header["superseded"]])


def _check(first: bytes, rest: bytes) -> None:
    words = first.split(b" ")
    if len(words) != 3 or words[0] != _MAGIC or not all(word.isdigit() for word in words[1:]):  # noqa: PLR2004 - magic, version, checksum
        raise MalformedState("not a bucket of live detectors: the first line is another")
    version, checksum = map(int, words[1:])
    if version > SCHEMA:
        raise NewerState(
            f"the state has schema version {version}, and this version of Cutwatch reads up to {SCHEMA}; "
            "deploy the version that wrote it, or a newer one"
        )
    if crc32(rest) != checksum:
        raise MalformedState("the state is damaged: its checksum does not match its content")
