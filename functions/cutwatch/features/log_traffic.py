"""Traffic of a key in the window before an event, in event time: requests, errors, distinct paths."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple
from zlib import crc32

WINDOW_SECONDS = 60
_SLOT_SECONDS = 5
# Distinct paths of a slot are counted up to this number, so that a scan does not fill the memory.
_MOST_PATHS = 256


# Requests without an error that every window is taken to have had in addition, so that one failure at night is not a rate of 50 %.
_DAMPING = 10


class Traffic(NamedTuple):
    """Requests, errors among them, and distinct paths in a window of some `seconds`."""

    requests: int
    errors: int
    distinct_paths: int
    seconds: float

    @property
    def request_rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def error_rate(self) -> float:
        """Share of errors among the requests, 0 to 1, damped where requests are few."""
        return self.errors / (self.requests + _DAMPING)


class RecentTraffic:
    """Counts of the last `WINDOW_SECONDS`, in slots that begin at multiples of 5 seconds; O(1) per event."""

    __slots__ = ("_errors", "_first", "_newest", "_paths", "_requests", "_slots")

    def __init__(self) -> None:
        self._slots: dict[int, list[Any]] = {}
        self._paths: Counter[int] = Counter()
        self._requests = self._errors = 0
        self._first: float | None = None
        self._newest = float("-inf")

    def add(self, time: float, path: str, *, is_error: bool) -> Traffic:
        """Add an event and return the traffic of the window that ends with the newest event, to which older events do not count."""
        if self._first is None:
            self._first = time
        if time <= self._newest - WINDOW_SECONDS:
            return self._traffic()
        if time > self._newest:
            self._newest = time
            self._expire()
        slot = self._slots.get(number := int(time // _SLOT_SECONDS))
        if slot is None:
            slot = self._slots[number] = [0, 0, set()]
        slot[0] += 1
        slot[1] += is_error
        self._requests += 1
        self._errors += is_error
        digest = crc32(path.encode("utf-8", "surrogatepass"))
        if digest not in slot[2] and len(slot[2]) < _MOST_PATHS:
            slot[2].add(digest)
            self._paths[digest] += 1
        return self._traffic()

    def _traffic(self) -> Traffic:
        begun = self._newest - (self._first or 0.0) + 1
        seconds = min(max(begun, _SLOT_SECONDS), WINDOW_SECONDS)
        return Traffic(self._requests, self._errors, len(self._paths), seconds)

    def _expire(self) -> None:
        oldest = int((self._newest - WINDOW_SECONDS) // _SLOT_SECONDS)
        # Slots are in the order of their first event, which late events disturb.
        for number in [each for each in self._slots if each <= oldest]:
            requests, errors, paths = self._slots.pop(number)
            self._requests -= requests
            self._errors -= errors
            for digest in paths:
                self._paths[digest] -= 1
                if not self._paths[digest]:
                    del self._paths[digest]

    def to_payload(self) -> list[Any]:
        """Return the counts as JSON values."""
        slots = [
            [number, requests, errors, sorted(paths)]
            for number, (requests, errors, paths) in sorted(self._slots.items())
        ]
        return [self._first, self._newest if slots else None, slots]

    @classmethod
    def from_payload(cls, payload: Sequence[Any]) -> "RecentTraffic":
        """Read back what `to_payload` returned."""
        traffic = cls()
        first, newest, slots = payload
        traffic._first = first
        traffic._newest = float("-inf") if newest is None else newest
        for number, requests, errors, paths in slots:
            traffic._slots[number] = [requests, errors, set(paths)]
            traffic._requests += requests
            traffic._errors += errors
            traffic._paths.update(paths)
        return traffic
