"""Statistics of a window's records, kept in panes: parts of windows that aggregate records as they arrive."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from zlib import crc32

from cutwatch.detectors.stream_window import COUNT, parse_statistic

Row = tuple[float, ...]


class Pane:
    """Aggregates of records: their count, and per value the sum, minimum, maximum and, for percentiles, a sample."""

    __slots__ = ("count", "maxima", "minima", "samples", "sums")

    def __init__(
        self,
        count: int,
        sums: list[float],
        minima: list[float],
        maxima: list[float],
        samples: list[list[float]],
    ) -> None:
        self.count = count
        self.sums = sums
        self.minima = minima
        self.maxima = maxima
        self.samples = samples

    def to_payload(self) -> list[Any]:
        """Return the pane as JSON values; its constructor takes them."""
        return [self.count, self.sums, self.minima, self.maxima, self.samples]


class WindowStatistics:
    """Columns of a window's row. A pane samples up to `sample` values of each column with percentiles."""

    def __init__(self, statistics: Sequence[str], values: Sequence[str], sample: int) -> None:
        parsed = [each for each in map(parse_statistic, statistics) if each]
        used = sorted({values.index(name) for _, name in parsed if name})
        self._used = used
        slots = {values[place]: slot for slot, place in enumerate(used)}
        self._columns = [(function, slots.get(name, 0)) for function, name in parsed]
        self._sampled = sorted({slot for function, slot in self._columns if _is_percentile(function)})  # fmt: skip
        self._sample = sample
        self.zeros: Row = (0.0,) * len(parsed)

    def first(self, values: Row) -> Pane:
        """Return a pane with one record."""
        taken = [values[place] for place in self._used]
        samples = [[value] if slot in self._sampled else [] for slot, value in enumerate(taken)]
        return Pane(1, taken, [*taken], [*taken], samples)

    def add(self, pane: Pane, start: float, values: Row) -> None:
        """Add a record to a pane; `start` and the number of the record decide which records are sampled."""
        pane.count += 1
        minima, maxima, sums = pane.minima, pane.maxima, pane.sums
        for slot, place in enumerate(self._used):
            value = values[place]
            sums[slot] += value
            if value < minima[slot]:
                minima[slot] = value
            elif value > maxima[slot]:
                maxima[slot] = value
        for slot in self._sampled:
            self._draw(pane.samples[slot], values[self._used[slot]], pane.count, start)

    def row(self, panes: Sequence[Pane]) -> Row:
        """Return the statistics of the records in one or more panes."""
        return tuple(
            _STATISTICS[function](panes, slot)
            if function in _STATISTICS
            else _sampled_percentile(panes, slot, float(function[1:]))
            for function, slot in self._columns
        )

    def _draw(self, sample: list[float], value: float, count: int, start: float) -> None:
        """Keep each of the pane's values with the same probability; a replay draws the same."""
        if count <= self._sample:
            sample.append(value)
            return
        place = crc32(b"%.6f:%d" % (start, count)) % count
        if place < self._sample:
            sample[place] = value


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return a percentile of ascending values, interpolated linearly as numpy does by default."""
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def _is_percentile(function: str) -> bool:
    return function not in _STATISTICS


def _sampled_percentile(panes: Sequence[Pane], slot: int, percent: float) -> float:
    """Return a percentile of the panes' values; a sampled value counts for those that were not kept."""
    samples = [(pane.samples[slot], pane.count / len(pane.samples[slot])) for pane in panes]
    if all(weight == samples[0][1] for _, weight in samples):
        return percentile(sorted(value for sample, _ in samples for value in sample), percent)
    weighted = sorted((value, weight) for sample, weight in samples for value in sample)
    rank = percent / 100 * sum(pane.count for pane in panes)
    for value, weight in weighted:
        rank -= weight
        if rank <= 0:
            return value
    return weighted[-1][0]


def _count(panes: Sequence[Pane], _: int) -> float:
    return float(sum(pane.count for pane in panes))


def _sum(panes: Sequence[Pane], slot: int) -> float:
    # Rounded correctly, so it is the same in every version of Python.
    return math.fsum(pane.sums[slot] for pane in panes)


_STATISTICS: Mapping[str, Callable[[Sequence[Pane], int], float]] = {
    COUNT: _count,
    "sum": _sum,
    "mean": lambda panes, slot: _sum(panes, slot) / _count(panes, slot),
    "min": lambda panes, slot: min(pane.minima[slot] for pane in panes),
    "max": lambda panes, slot: max(pane.maxima[slot] for pane in panes),
}
