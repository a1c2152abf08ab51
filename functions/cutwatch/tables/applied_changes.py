"""Ids of the changes learned by a forest, kept as long as DynamoDB may deliver them again.

DynamoDB orders the changes of an item, and its events name no shard, so there is no position to compare with: every change is
remembered, by a digest of 8 bytes, in the hour in which it was made.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.aws.limits import STREAM_RETENTION
from cutwatch.detectors.watched_table import CHANGES_PER_FOREST

# Beyond this, the oldest hour is forgotten before the stream does.
MOST_CHANGES = 2 * CHANGES_PER_FOREST
_HOUR = 3_600
_HOURS_KEPT = int(STREAM_RETENTION.total_seconds()) // _HOUR
_HOUR_HEADER = struct.Struct("<IQ")

Digests = NDArray[np.uint64]


@dataclass(slots=True)
class _Hour:
    """Changes of an hour: those that were stored, sorted, and those since."""

    stored: Digests = field(default_factory=lambda: np.empty(0, np.uint64))
    added: set[int] = field(default_factory=set)

    def __contains__(self, digest: int) -> bool:
        if digest in self.added:
            return True
        place = int(np.searchsorted(self.stored, np.uint64(digest)))
        return place < len(self.stored) and int(self.stored[place]) == digest

    def __len__(self) -> int:
        return len(self.stored) + len(self.added)

    def merged(self) -> Digests:
        """Return all digests, sorted."""
        if self.added:
            added = np.fromiter(self.added, np.uint64, len(self.added))
            self.stored = np.sort(np.concatenate([self.stored, added]))
            self.added = set()
        return self.stored


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
            digests = self._hours[number].merged()
            parts += [_HOUR_HEADER.pack(number, len(digests)), digests.astype("<u8").tobytes()]
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, content: bytes) -> "AppliedChanges":
        """Read back what `to_bytes` returned. Raises `ValueError` for any other content."""
        hours: dict[int, _Hour] = {}
        start = 0
        while start < len(content):
            number, count = _unpacked(content, start)
            start += _HOUR_HEADER.size
            digests: NDArray[Any] = np.frombuffer(content, "<u8", count, start)
            hours[number] = _Hour(digests.astype(np.uint64))
            start += digests.nbytes
        return cls(hours)


def _unpacked(content: bytes, start: int) -> tuple[int, int]:
    try:
        number, count = _HOUR_HEADER.unpack_from(content, start)
    except struct.error as error:
        raise ValueError(f"not the changes of a table: {error}") from None
    return number, count


def _digest(change: str) -> int:
    return int.from_bytes(hashlib.blake2b(change.encode(), digest_size=8).digest())
