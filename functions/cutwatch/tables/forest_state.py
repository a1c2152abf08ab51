"""The state of a table's forests in S3: buckets of keys as a stream has them, each with the changes that it has applied."""

import math
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zlib import crc32

from cutwatch.detectors.stream import Stream
from cutwatch.detectors.watched_table import CHANGES_PER_FOREST, WatchedTable
from cutwatch.errors import MalformedState
from cutwatch.streams.buckets import bucket_count
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.key_states import KeyStates
from cutwatch.streams.outbox import Notice
from cutwatch.streams.record import RawRecord
from cutwatch.streams.state_store import StateStore
from cutwatch.tables.applied_changes import AppliedChanges
from cutwatch.tables.changes import Change
from cutwatch.timestamps import format_timestamp

_BEFORE_THE_CHANGE = -1
_MOST_BUCKETS = 4_096
_HOUR = 3_600
# Hashing spreads keys, and changes of keys, unevenly.
_FULL_ON_AVERAGE = 0.5
# Length and checksum of the changes, which are the last part of an object.
_END = struct.Struct("<QI")


def raw_change(change: Change) -> RawRecord:
    """Return a change as a record that is alone in its lane; without a new image, it has no content."""
    data = change.raw.data if change.image is not None else b""
    return change.raw._replace(data=data, lane=change.id)


@dataclass(slots=True)
class TableBucket(KeyBucket):
    """A bucket of a table's keys. Each change has a lane of its own, the change's id."""

    changes: AppliedChanges = field(default_factory=AppliedChanges)

    def position(self, lane: str) -> int:
        """Return the position of a change that was applied; -1 for another one."""
        return int(lane.rpartition(":")[2]) if lane in self.changes else _BEFORE_THE_CHANGE

    def move_on(self, lane: str, position: int, arrival: float) -> None:  # noqa: ARG002 - the lane has it
        """Record that a change was applied."""
        for hour in self.changes.add(lane, arrival):
            text = (
                "the table changes more often than the state has room for, so changes made between "
                f"{_text(hour)} and {_text(hour + 1)} would be learned twice "
                "if they were delivered again; raise changes_per_day"
            )
            self.outbox.notices.append(Notice(f"forgotten:{self.number:04d}:{hour}", "changes forgotten", text))  # fmt: skip

    def to_bytes(self, stream: Stream) -> bytes:
        """Return the bytes of the keys, and after them those of the changes."""
        changes = self.changes.to_bytes()
        keys = KeyBucket.to_bytes(self, stream)
        return b"".join([keys, changes, _END.pack(len(changes), crc32(changes))])

    @classmethod
    def from_bytes(cls, content: bytes, stream: Stream) -> "TableBucket":
        """Read back what `to_bytes` returned. Raises `MalformedState` for a newer version or damaged content."""
        if len(content) < _END.size:
            raise MalformedState("not a bucket of a table's keys: it is too short")
        length, checksum = _END.unpack_from(content, len(content) - _END.size)
        begin = len(content) - _END.size - length
        changes = content[max(begin, 0) : len(content) - _END.size]
        # The keys' own checks name a newer version, so they come first.
        keys = KeyBucket.from_bytes(content[:begin] if begin > 0 else content, stream)
        if crc32(changes) != checksum:
            raise MalformedState("the state is damaged: the checksum of its changes does not match")
        try:
            applied = AppliedChanges.from_bytes(changes)
        except ValueError as error:
            raise MalformedState(str(error)) from error
        return cls(
            keys.number, keys.states, keys.applied, keys.totals, keys.outbox, changes=applied
        )


def _text(hour: int) -> str:
    return format_timestamp(datetime.fromtimestamp(hour * _HOUR, UTC))


def forest_root(name: str) -> str:
    """Return the prefix of the keys of the states of a table's forests."""
    return f"tables/{name}/forests/"


def forest_buckets(table: WatchedTable) -> int:
    """Return the number of buckets of a table's forests: as many as keys, and as many as changes need."""
    keys = bucket_count(table.as_stream)
    if not table.key:
        return keys
    full = table.changes_per_day / (_FULL_ON_AVERAGE * CHANGES_PER_FOREST)
    return min(max(keys, 1 << math.ceil(math.log2(max(full, 1)))), _MOST_BUCKETS)


@dataclass
class ForestStateStore(StateStore):
    """The stored states of a table's forests, below `tables/NAME/forests/CONFIGURATION/`."""

    table: WatchedTable

    @property
    def root(self) -> str:
        """Prefix of the keys of all configurations."""
        return forest_root(self.table.name)

    def initial_buckets(self) -> int:
        """Return the number of buckets of a new configuration."""
        return forest_buckets(self.table)

    def empty(self, number: int) -> KeyBucket:
        """Return a bucket without keys."""
        return TableBucket(number, KeyStates(self.stream))

    def decode(self, content: bytes) -> KeyBucket:
        """Read a bucket's bytes. Raises `MalformedState`."""
        return TableBucket.from_bytes(content, self.stream)
