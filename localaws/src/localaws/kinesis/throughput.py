"""A shard's throughput: what it takes and gives within a second."""

from collections import deque


class Throughput:
    """Counts and bytes of the last second; what is larger than a second's bytes uses up the seconds that it takes."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._uses: deque[tuple[float, float, int]] = deque()
        self._bytes = 0

    def admits(self, now: float, size: int = 0) -> bool:
        """Return whether one more use of `size` bytes is within the limits at this time (epoch seconds)."""
        self._forget(now)
        fits = self._bytes == 0 or self._bytes + size <= self._most_bytes
        return len(self._uses) < self._most and fits

    def use(self, now: float, size: int) -> None:
        self._uses.append((now, now + max(1.0, size / self._most_bytes), size))
        self._bytes += size

    def _forget(self, now: float) -> None:
        """Drop uses that are over, and those of a clock that has been put back."""
        while self._uses and (self._uses[0][1] <= now or self._uses[0][0] > now):
            self._bytes -= self._uses.popleft()[2]
