"""The state of a watched table in S3: open incidents, the changes that were applied, and the outbox.

An endpoint learns from no record, so the state has only what is anomalous or rejected, and is written only when that changes.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

from cutwatch.aws.limits import STREAM_RETENTION
from cutwatch.aws.s3 import Bucket
from cutwatch.errors import MalformedState, NewerState, NotFound
from cutwatch.streams.incidents import STATE_WAS_DAMAGED, Incident, IncidentChange
from cutwatch.streams.outbox import Notice, Outbox

SCHEMA = 1
# Changes that are remembered within the stream's retention; each is an anomalous or a rejected one.
MOST_APPLIED = 10_000


@dataclass(slots=True)
class OpenIncident:
    """An incident under way, the ids of the normal rows since its last anomalous one, and when that arrived (epoch seconds)."""

    incident: Incident
    calm: list[str] = field(default_factory=list)
    seen: float = 0.0


@dataclass(slots=True)
class TableState:
    """State of one table. `applied` has the arrival (epoch seconds) of each applied change by its id."""

    incidents: dict[str, OpenIncident] = field(default_factory=dict)
    applied: dict[str, float] = field(default_factory=dict)
    outbox: Outbox = field(default_factory=Outbox)
    newest: float = 0.0
    is_changed: bool = False

    def apply(self, change: str, arrival: float) -> None:
        """Remember a change, and forget those that the stream cannot deliver any more."""
        self.is_changed = True
        self.applied[change] = arrival
        self.newest = max(self.newest, arrival)
        oldest = self.newest - 2 * STREAM_RETENTION.total_seconds()
        if len(self.applied) > MOST_APPLIED or next(iter(self.applied.values())) < oldest:
            kept = sorted(self.applied.items(), key=lambda each: each[1])[-MOST_APPLIED:]
            self.applied = {name: time for name, time in kept if time >= oldest}

    def to_bytes(self) -> bytes:
        """Return a line with schema version and checksum, and a line of JSON."""
        payload = {
            "incidents": {
                key: [each.incident.to_payload(), each.calm, each.seen]
                for key, each in self.incidents.items()
            },
            "applied": self.applied,
            "outbox": self.outbox.to_payload(),
            "newest": self.newest,
        }
        content = json.dumps(payload).encode()
        return b"cutwatch-table %d %d\n" % (SCHEMA, crc32(content)) + content

    @classmethod
    def from_bytes(cls, content: bytes) -> "TableState":
        """Read back what `to_bytes` returned. Raises `MalformedState` for a newer version or damaged content."""
        first, _, rest = content.partition(b"\n")
        _check(first, rest)
        try:
            return cls._read(json.loads(rest))
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedState(f"not the state of a table: {error!r}") from error

    @classmethod
    def _read(cls, payload: Any) -> "TableState":
        incidents = {
            key: OpenIncident(Incident.from_payload(incident), calm, seen)
            for key, (incident, calm, seen) in payload["incidents"].items()
        }
        outbox = Outbox.from_payload(payload["outbox"])
        return cls(incidents, dict(payload["applied"]), outbox, payload["newest"])


@dataclass(frozen=True)
class TableStateStore:
    """The object `tables/NAME/state`, written on condition that nobody else has written it since it was read.

    `open_incidents` returns the incidents of the table that were notified and have not ended.
    """

    bucket: Bucket
    name: str
    open_incidents: Callable[[], Sequence[Incident]] = tuple

    def load(self) -> tuple[TableState, str | None]:
        """Read the state and its ETag, None before the first write.

        A damaged one is set aside: a notice is left, and the open incidents end.
        """
        try:
            content, etag = self.bucket.read_with_etag(self._key)
        except NotFound:
            return TableState(), None
        try:
            return TableState.from_bytes(content), etag
        except NewerState:
            raise
        except MalformedState as error:
            return self._set_aside(content, etag, error), etag

    def save(self, state: TableState, etag: str | None) -> str:
        """Write the state; return its new ETag. Raises `ConditionFailed` if it was written since it was read."""
        written = self.bucket.put_if(self._key, state.to_bytes(), etag)
        state.is_changed = False
        return written

    def written(self) -> datetime | None:
        """Return the time of the last write, None before the first."""
        found = self.bucket.list(self._key)
        return next((each.modified for each in found if each.key == self._key), None)

    @property
    def _key(self) -> str:
        return f"tables/{self.name}/state"

    def _set_aside(self, content: bytes, etag: str, error: MalformedState) -> TableState:
        version = etag.strip('"')
        kept = f"tables/{self.name}/damaged/{version}"
        self.bucket.write_bytes(kept, content)
        text = f"{error}; incidents begin from scratch, and {self.bucket.uri(kept)} has the damaged state"
        state = TableState(is_changed=True)
        state.outbox.notices.append(Notice(version, "state reset", text))
        state.outbox.changes += [
            IncidentChange("ended", each, STATE_WAS_DAMAGED) for each in self.open_incidents()
        ]
        return state


def _check(first: bytes, content: bytes) -> None:
    words = first.split(b" ")
    if words[:1] != [b"cutwatch-table"] or not all(word.isdigit() for word in words[1:]):
        raise MalformedState("not the state of a table: the first line is another")
    version, checksum = int(words[1]), int(words[-1])
    if version > SCHEMA:
        raise NewerState(
            f"the state has schema version {version}, and this version of Cutwatch reads up to {SCHEMA}; "
            "deploy the version that wrote it, or a newer one"
        )
    if crc32(content) != checksum:
        raise MalformedState("the state of a table is damaged: its checksum is another")
