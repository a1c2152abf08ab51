"""Expected values of a key's columns: the median and the range that held 90 % of its latest rows."""

from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cutwatch.streams.window_statistics import percentile

ROWS = 512
# Rows without which nothing is expected.
FEWEST_ROWS = 32
_LOW, _MIDDLE, _HIGH = 5, 50, 95


class Expected(NamedTuple):
    """Expected value of a column, and the range that held 90 % of the rows before."""

    value: float
    low: float
    high: float


class RecentRows:
    """The latest rows of a key in a ring."""

    __slots__ = ("_columns", "count", "values")

    def __init__(self, columns: int, count: int = 0, content: bytes = b"") -> None:
        self._columns = columns
        self.count = count
        self.values = array("d", content)
        if len(self.values) != min(count, ROWS) * columns:
            raise ValueError(f"{len(self.values)} values for {count} rows of {columns} columns")

    def add(self, row: Sequence[float]) -> None:
        """Add a row in place of the oldest."""
        if self.count < ROWS:
            self.values.extend(row)
        else:
            place = self.count % ROWS * self._columns
            for value in row:
                self.values[place] = value
                place += 1
        self.count += 1

    def latest(self) -> Sequence[float]:
        """Return the latest row; empty before the first."""
        end = ((self.count - 1) % ROWS + 1) * self._columns if self.count else 0
        return self.values[end - self._columns : end]

    def columns(self) -> Iterator[Sequence[float]]:
        """Yield the values of each column, oldest first."""
        oldest = self.count % ROWS * self._columns if self.count > ROWS else 0
        ordered = self.values[oldest:] + self.values[:oldest]
        return (ordered[place :: self._columns] for place in range(self._columns))

    def expected(self) -> tuple[Expected | None, ...]:
        """Return the expected value of each column; None after too few rows."""
        if self.count < FEWEST_ROWS:
            return (None,) * self._columns
        columns = (sorted(self.values[place :: self._columns]) for place in range(self._columns))
        return tuple(
            Expected(percentile(each, _MIDDLE), percentile(each, _LOW), percentile(each, _HIGH))
            for each in columns
        )
