"""Ids of the changes learned by a forest, kept as long as DynamoDB may deliver them again.

DynamoDB orders the changes of an item, and its events name no shard, so there is no position to compare with: every change is
remembered, by a digest of 8 bytes, in the hour in which it was made.
"""

import hashlib
import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from cutwatch.aws.limits import STREAM_RETENTION
from cutwatch.detectors.watched_table import CHANGES_PER_FOREST

# Beyond this, the oldest hour is forgotten before the stream does.
MOST_CHANGES = 2 * CHANGES_PER_FOREST
_HOUR = 3_600
_HOURS_KEPT = int(STREAM_RETENTION.total_seconds()) // _HOUR
_HOUR_HEADER = struct.Struct("<IQ")
_DIGEST = "Q"
_DIGEST_BYTES = 8


@dataclass(slots=True)
class _Hour:
    """Changes of an hour: those that were stored, sorted, and those since."""

    stored: "array[int]" = field(default_factory=lambda: array(_DIGEST))
    added: set[int] = field(default_factory=set)

    def __contains__(self, digest: int) -> bool:
        if digest in self.added:
            return True
        place = bisect_left(self.stored, digest)
        return place < len(self.stored) and self.stored[place] == digest

    def __len__(self) -> int:
        return len(self.stored) + len(self.added)

    def to_bytes(self) -> bytes:
        """Return all digests, sorted."""
        if self.added:
            self.stored = array(_DIGEST, sorted([*self.stored, *self.added]))
            self.added = set()
        return _little_endian(self.stored).tobytes()


class AppliedChanges:
    """Ids of changes by the hour (since 1970) in which they were made."""

    def __init__(self, hours: dict[int, _Hour] | None = None) -> None:
        self._hours = hours or {}

    def __contains__(self, change: str) -> bool:
        digest = _digest(change)
        return any(digest in hour for hour in self._hours.values())

    def __len__(self) -> int:
        return sum(map(len, self._hours.values()))

    def add(self, change: str, time: float) -> list[int]:
        """Remember a change of an epoch second; forget what the stream cannot deliver any more.

        Return the hours that had to be forgotten before that, because there are more changes than there is room for.
        """
        hour = int(time) // _HOUR
        if hour not in self._hours:
            self._hours[hour] = _Hour()
            newest = max(self._hours)
            for old in [each for each in self._hours if each < newest - _HOURS_KEPT]:
                del self._hours[old]
        # A change that is older than all that is remembered cannot come again either.
        if hour in self._hours:
            self._hours[hour].added.add(_digest(change))
        return list(self._forget())

    def _forget(self) -> Iterator[int]:
        while len(self) > MOST_CHANGES and len(self._hours) > 1:
            oldest = min(self._hours)
            del self._hours[oldest]
            yield oldest

    def to_bytes(self) -> bytes:
        """Return the hours in their order, each with its digests."""
        parts = []
        for number in sorted(self._hours):
            hour = self._hours[number]
            parts += [_HOUR_HEADER.pack(number, len(hour)), hour.to_bytes()]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> "AppliedChanges":
        """Read back what `to_bytes` returned. Raises `ValueError` for any other content."""
        hours: dict[int, _Hour] = {}
        start = 0
        while start < len(content):
            number, count = _unpacked(content, start)
            start += _HOUR_HEADER.size
            end = start + count * _DIGEST_BYTES
            if end > len(content):
                raise ValueError("not the changes of a table: an hour is too short")
            hours[number] = _Hour(_little_endian(array(_DIGEST, content[start:end])))
            start = end
        return cls(hours)


def _unpacked(content: bytes, start: int) -> tuple[int, int]:
    try:
        number, count = _HOUR_HEADER.unpack_from(content, start)
    except struct.error as error:
        raise ValueError(f"not the changes of a table: {error}") from None
    return number, count


def _little_endian(digests: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        digests = digests[:]
        digests.byteswap()
    return digests


def _digest(change: str) -> int:
    return int.from_bytes(hashlib.blake2b(change.encode(), digest_size=_DIGEST_BYTES).digest())
