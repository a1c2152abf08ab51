"""Windows of event time: tumbling and sliding ones at multiples of a step, and stagger windows that open with a record."""

from collections.abc import Iterator
from math import floor, inf

from cutwatch.streams.record import Record
from cutwatch.streams.window_statistics import Row, WindowStatistics
from cutwatch.streams.windows import MOST_EMPTY_WINDOWS, ClosedWindow, OpenWindows

_MICROSECONDS = 1_000_000


class SlidingWindows:
    """Windows of `size` seconds, one ending at each multiple of `every` seconds; with `every` = `size`, tumbling windows.

    A record is aggregated once, in the pane of its step; a row merges the panes of its window. A row has the time at which
    its last step begins. A window without records has no row, or, with `zeros`, a row of zeros.
    """

    def __init__(
        self, size: int, every: int, statistics: WindowStatistics, *, zeros: bool = False
    ) -> None:
        self._size, self._every = size, every
        self._statistics = statistics
        self._name = "tumbling" if size == every else "sliding"
        self._silence = MOST_EMPTY_WINDOWS * every if zeros else 0

    def add(self, windows: OpenWindows, record: Record) -> list[ClosedWindow]:
        """Add a record to its pane; only time closes windows."""
        start = floor(record.time / self._every) * self._every
        pane = windows.panes.get(start)
        if pane is None:
            windows.panes[start] = self._statistics.first(record.values)
            windows.due = self._next_end(windows)
        else:
            self._statistics.add(pane, start, record.values)
        return []

    def close(self, windows: OpenWindows, watermark: float) -> list[ClosedWindow]:
        """Remove and return the windows that end at or before the watermark."""
        return [*self._closed(windows, watermark)] if windows.due <= watermark else []

    def _closed(self, windows: OpenWindows, watermark: float) -> Iterator[ClosedWindow]:
        while windows.due <= watermark:
            end = windows.due
            start = end - self._every
            yield ClosedWindow(start, self._row(windows, end), (self._name, int(start)))
            windows.closed = end
            for gone in [each for each in windows.panes if each + self._size <= end]:
                del windows.panes[gone]
            windows.due = self._next_end(windows)

    def _row(self, windows: OpenWindows, end: float) -> Row:
        panes = [windows.panes[each] for each in sorted(windows.panes) if each < end]
        if not panes:
            return self._statistics.zeros
        windows.filled = end
        return self._statistics.row(panes)

    def _next_end(self, windows: OpenWindows) -> float:
        """Return the end of the next window that has a row. Panes of closed windows are in the next one as well."""
        following = windows.closed + self._every
        if following - windows.filled <= self._silence:
            return following
        return max(following, min(windows.panes, default=inf) + self._every)


class StaggerWindows:
    """Windows of `size` seconds that open with the first record that no open window takes.

    A window also takes records up to `size` seconds before its first one that come after it.
    """

    def __init__(self, size: int, statistics: WindowStatistics) -> None:
        self._size = size
        self._statistics = statistics

    def add(self, windows: OpenWindows, record: Record) -> list[ClosedWindow]:
        """Add a record to the window that it belongs to; only time closes windows."""
        start = self._start(windows, record.time)
        if start is None:
            windows.panes[record.time] = self._statistics.first(record.values)
            windows.due = min(windows.panes) + self._size
        else:
            self._statistics.add(windows.panes[start], start, record.values)
        return []

    def close(self, windows: OpenWindows, watermark: float) -> list[ClosedWindow]:
        """Remove and return the windows that end at or before the watermark."""
        rows: list[ClosedWindow] = []
        while windows.due <= watermark:
            start = min(windows.panes)
            row = self._statistics.row([windows.panes.pop(start)])
            rows.append(ClosedWindow(start, row, ("stagger", round(start * _MICROSECONDS))))
            windows.closed = start + self._size
            windows.due = min(windows.panes, default=inf) + self._size
        return rows

    def _start(self, windows: OpenWindows, time: float) -> float | None:
        """Return the start of the window that contains the time, else of one that begins less than its size later."""
        near = [start for start in windows.panes if abs(start - time) < self._size]
        return min(near, default=None)
