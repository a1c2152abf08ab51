"""A bucket of keys: their states, the positions that they have applied, and the outbox; one object in S3.

All of it is written together or not at all, so a record is learned if and only if its incident is committed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any
from zlib import crc32

from cutwatch.detectors.stream import Stream
from cutwatch.errors import MalformedState, NewerState
from cutwatch.streams.key_states import KeyStates, StoredKey
from cutwatch.streams.outbox import Outbox

# Increase with every change of the format; a bucket of a newer version is refused.
SCHEMA = 1
_MAGIC = b"cutwatch-bucket"
# Closed shards are remembered until this many others are newer.
_MOST_LANES = 4_096
_NOTHING_APPLIED = (-1, 0.0)
_DAMAGED = "the state is damaged: its checksum does not match its content"


@dataclass(slots=True)
class Totals:
    """Records of a bucket since its beginning. Each record that was applied is one of these."""

    accepted: int = 0
    late: int = 0
    rejected: int = 0
    dropped: int = 0

    @property
    def applied(self) -> int:
        """The number of records that were applied."""
        return self.accepted + self.late + self.rejected + self.dropped


@dataclass(frozen=True, slots=True)
class BucketHeader:
    """The beginning of a bucket's object, for a sweep and for operators.

    `applied` has the last position by lane, `arrivals` its arrival in epoch seconds, `due` the earliest time that is due,
    `keys` the number of keys, `newest` their newest event time, -inf without keys; `is_retired` is True if the incidents of a replaced configuration have ended.
    """

    applied: Mapping[str, int]
    due: float
    has_outbox: bool
    arrivals: Mapping[str, float] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    keys: int = 0
    is_retired: bool = False
    newest: float = -inf

    @classmethod
    def from_bytes(cls, content: bytes) -> "BucketHeader | None":
        """Read the beginning of a bucket's bytes; None if its header is longer. Raises `MalformedState`."""
        first, _, rest = content.partition(b"\n")
        line, end, _ = rest.partition(b"\n")
        if not end:
            return None
        _check(first, line)
        header = json.loads(line)
        return cls(
            applied={lane: position for lane, (position, _) in header["applied"].items()},
            due=min((float(due) for _, _, due, _ in header["keys"]), default=inf),
            has_outbox=bool(header["outbox"]),
            arrivals={lane: arrival for lane, (_, arrival) in header["applied"].items()},
            totals=Totals(**header["totals"]),
            keys=len(header["keys"]),
            is_retired=header.get("retired", False),
            newest=max((float(newest) for _, newest, _, _ in header["keys"]), default=-inf),
        )


@dataclass(slots=True)
class KeyBucket:
    """The state of a bucket of keys.

    `applied` has, by lane, the last position that was applied, and its arrival in epoch seconds, `generation` is that of the
    trained model that scored last.
    """

    number: int
    states: KeyStates
    applied: dict[str, tuple[int, float]] = field(default_factory=dict)
    totals: Totals = field(default_factory=Totals)
    outbox: Outbox = field(default_factory=Outbox)
    generation: int = field(default=0, kw_only=True)

    @classmethod
    def empty(cls, stream: Stream, number: int) -> "KeyBucket":
        """Return a bucket that has no keys yet."""
        return cls(number, KeyStates(stream))

    def position(self, lane: str) -> int:
        """Return the last position of a lane that was applied; -1 if there is none."""
        return self.applied.get(lane, _NOTHING_APPLIED)[0]

    def move_on(self, lane: str, position: int, arrival: float) -> None:
        """Record that a position was applied."""
        self.applied[lane] = (position, arrival)
        if len(self.applied) > _MOST_LANES:
            del self.applied[min(self.applied, key=lambda each: self.applied[each][1])]

    def to_bytes(self, stream: Stream) -> bytes:
        """Return a line with schema version and checksum, a line of JSON, and the states of the keys."""
        stored = self.states.stored()
        header = {
            "config": stream.fingerprint,
            "bucket": self.number,
            "generation": self.generation,
            "applied": dict(sorted(self.applied.items())),
            "totals": asdict(self.totals),
            "outbox": self.outbox.to_payload(),
            "keys": [
                [key, each.newest, _due(each.due), len(each.content)]
                for key, each in stored.items()
            ],
        }
        return joined(header, [each.content for each in stored.values()])

    @classmethod
    def from_bytes(cls, content: bytes, stream: Stream) -> "KeyBucket":
        """Read back what `to_bytes` returned. Raises `MalformedState` for a newer version or damaged content."""
        try:
            header, states, rest = divided(content)
            if rest:
                raise MalformedState(_DAMAGED)
            return cls._read(header, states, stream)
        except (KeyError, TypeError, ValueError) as error:
            raise MalformedState(f"not a bucket of a stream's keys: {error!r}") from error

    @classmethod
    def _read(cls, header: Mapping[str, Any], states: bytes, stream: Stream) -> "KeyBucket":
        stored: dict[str, StoredKey] = {}
        start = 0
        for key, newest, due, length in header["keys"]:
            content = states[start : start + length]
            stored[key] = StoredKey(newest, float(due), content)
            start += length
        return cls(
            number=header["bucket"],
            states=KeyStates(stream, stored),
            applied={lane: (place, time) for lane, (place, time) in header["applied"].items()},
            totals=Totals(**header["totals"]),
            outbox=Outbox.from_payload(header["outbox"]),
            generation=header.get("generation", 0),
        )


def joined(header: Mapping[str, Any], states: Sequence[bytes]) -> bytes:
    """Return the bytes of a bucket with this header and these states of its keys."""
    checksum = 0
    for each in states:
        checksum = crc32(each, checksum)
    line = json.dumps({**header, "checksum": checksum}).encode()
    return b"".join([b"%s %d %d\n" % (_MAGIC, SCHEMA, crc32(line)), line, b"\n", *states])


def divided(content: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """Return a bucket's header, the states of its keys, and the bytes that follow them. Raises `MalformedState`."""
    first, line, rest = [*content.split(b"\n", 2), b"", b""][:3]
    _check(first, line)
    header: dict[str, Any] = json.loads(line)
    end = sum(length for *_, length in header["keys"])
    states = rest[:end]
    if crc32(states) != header.get("checksum"):
        raise MalformedState(_DAMAGED)
    return header, states, rest[end:]


def _due(time: float) -> float | str:
    """Return a time as JSON knows it: infinity is not a number there."""
    return time if time < inf else "inf"


def _check(first: bytes, header: bytes) -> None:
    words = first.split(b" ")
    if len(words) != 3 or words[0] != _MAGIC or not all(word.isdigit() for word in words[1:]):  # noqa: PLR2004 - magic, version, checksum
        raise MalformedState("not a bucket of a stream's keys: the first line is another")
    version, checksum = map(int, words[1:])
    if version > SCHEMA:
        raise NewerState(
            f"the state has schema version {version}, and this version of Cutwatch reads up to {SCHEMA}; "
            "deploy the version that wrote it, or a newer one"
        )
    if crc32(header) != checksum:
        raise MalformedState(_DAMAGED)
