"""Windows of a number of records of a key, in the order in which they are applied."""

from cutwatch.streams.record import Record
from cutwatch.streams.window_statistics import WindowStatistics
from cutwatch.streams.windows import ClosedWindow, OpenWindows


class CountWindows:
    """Windows of the last `size` records, one after every `every` records; with `every` = `size`, without overlap.

    A row has the time and the origin of the record that completes it. Time closes no window.
    """

    def __init__(self, size: int, every: int, statistics: WindowStatistics) -> None:
        self._every, self._panes = every, size // every
        self._statistics = statistics

    def add(self, windows: OpenWindows, record: Record) -> list[ClosedWindow]:
        """Add a record; return the window that it completes, if any."""
        number = windows.records // self._every
        windows.records += 1
        pane = windows.panes.get(number)
        if pane is None:
            windows.panes[number] = self._statistics.first(record.values)
        else:
            self._statistics.add(pane, number, record.values)
        if windows.records % self._every or len(windows.panes) < self._panes:
            return []
        row = self._statistics.row([windows.panes[each] for each in sorted(windows.panes)])
        windows.panes.pop(min(windows.panes))
        return [ClosedWindow(record.time, row, (record.lane, record.position))]

    def close(self, windows: OpenWindows, watermark: float) -> list[ClosedWindow]:  # noqa: ARG002 - the rules' signature
        """Return nothing: a window waits for its records."""
        return []
