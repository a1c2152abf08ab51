"""Tumbling windows of event time: records in, one row per closed window out, in O(1) per record."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from cutwatch.detectors.stream_window import COUNT, parse_statistic

# Percentiles are exact up to this many records a window, then taken from a sample of this size.
SAMPLE = 4_096


class OpenWindow:
    """A window that still takes records: count, and per value sum, minimum, maximum and, for percentiles, a sample."""

    __slots__ = ("count", "maxima", "minima", "samples", "sums")

    def __init__(self, width: int) -> None:
        self.count = 0
        self.sums = [0.0] * width
        self.minima = [math.inf] * width
        self.maxima = [-math.inf] * width
        self.samples: list[list[float]] = [[] for _ in range(width)]

    def to_payload(self) -> list[Any]:
        """Return the window as JSON values."""
        return [self.count, self.sums, self.minima, self.maxima, self.samples]

    @classmethod
    def from_payload(cls, payload: Sequence[Any]) -> "OpenWindow":
        """Read back what `to_payload` returned."""
        window = cls(0)
        window.count, window.sums, window.minima, window.maxima, window.samples = payload
        return window


class TumblingWindows:
    """The rule by which records of one key become rows."""

    def __init__(self, size: int, statistics: Sequence[str], values: Sequence[str]) -> None:
        self.size = size
        self._width = len(values)
        parsed = [each for each in map(parse_statistic, statistics) if each]
        places = {name: place for place, name in enumerate(values)}
        self._columns = [(function, places.get(name, 0)) for function, name in parsed]
        self._sampled = sorted({place for name, place in self._columns if name.startswith("p")})

    def add(self, windows: dict[int, OpenWindow], time: float, values: Sequence[float]) -> None:
        """Add a record to its window, which begins at a multiple of the size."""
        start = math.floor(time / self.size) * self.size
        window = windows.get(start)
        if window is None:
            window = windows[start] = OpenWindow(self._width)
        window.count += 1
        for place, value in enumerate(values):
            window.sums[place] += value
            window.minima[place] = min(window.minima[place], value)
            window.maxima[place] = max(window.maxima[place], value)
        for place in self._sampled:
            _sample(window.samples[place], values[place], window.count, start)

    def close(
        self, windows: dict[int, OpenWindow], watermark: float
    ) -> list[tuple[int, tuple[float, ...]]]:
        """Remove the windows that end at or before the watermark; return their starts and rows in order of time."""
        if not windows or min(windows) + self.size > watermark:
            return []
        closed = sorted(start for start in windows if start + self.size <= watermark)
        return [(start, self._row(windows.pop(start))) for start in closed]

    def _row(self, window: OpenWindow) -> tuple[float, ...]:
        return tuple(
            _STATISTICS[name](window, place)
            if name in _STATISTICS
            else percentile(sorted(window.samples[place]), float(name[1:]))
            for name, place in self._columns
        )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of ascending values, interpolated linearly as numpy does by default."""
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _sample(sample: list[float], value: float, count: int, start: int) -> None:
    """Keep each of the window's values with the same probability; a replay draws the same."""
    if count <= SAMPLE:
        sample.append(value)
        return
    place = crc32(b"%d:%d" % (start, count)) % count
    if place < SAMPLE:
        sample[place] = value


_STATISTICS: Mapping[str, Callable[[OpenWindow, int], float]] = {
    COUNT: lambda window, _: float(window.count),
    "sum": lambda window, place: window.sums[place],
    "mean": lambda window, place: window.sums[place] / window.count,
    "min": lambda window, place: window.minima[place],
    "max": lambda window, place: window.maxima[place],
}
