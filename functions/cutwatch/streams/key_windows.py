"""The windows of one stream: which records are late, which rows a record completes, and which ones the clock does."""

from collections.abc import Callable, Mapping

from cutwatch.detectors.stream import Stream
from cutwatch.detectors.stream_window import StreamWindow, WindowType, pane_sample
from cutwatch.streams.count_windows import CountWindows
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.record import Record
from cutwatch.streams.time_windows import SlidingWindows, StaggerWindows
from cutwatch.streams.window_statistics import WindowStatistics
from cutwatch.streams.windows import ClosedWindow, EachRecord, WindowRule


class KeyWindows:
    """Windows over the records of each key of a stream; all that changes is in the states of the keys."""

    def __init__(self, stream: Stream) -> None:
        window = stream.window
        values = tuple(stream.record.values)
        statistics = WindowStatistics(window.statistics, values, pane_sample(window))
        self._rule = _RULES[window.type](window, statistics)
        self._lateness = window.allowed_lateness

    def is_late(self, state: KeyState, time: float) -> bool:
        """Return True if a record of this time is too late for its key."""
        return time < state.newest - self._lateness or time < state.windows.closed

    def add(self, state: KeyState, record: Record) -> list[ClosedWindow] | None:
        """Add a record to its key; return the rows that are complete with it, or None if it is late."""
        time, windows = record.time, state.windows
        watermark = state.newest - self._lateness
        if time < watermark or time < windows.closed:
            return None
        if time > state.newest:
            state.newest, watermark = time, time - self._lateness
        rows = self._rule.add(windows, record)
        if windows.due <= watermark:
            rows += self._rule.close(windows, watermark)
        return rows

    def close(self, state: KeyState, now: float) -> list[ClosedWindow]:
        """Close the windows of a key that ended `allowed_lateness` seconds before `now`; later records of them are late."""
        return self._rule.close(state.windows, now - self._lateness)

    def next_close(self, state: KeyState) -> float:
        """Return the time in epoch seconds from which `close` returns a row; infinite if there is none."""
        return state.windows.due + self._lateness


def _sliding(window: StreamWindow, statistics: WindowStatistics) -> WindowRule:
    zeros = window.missing_data == "zero"
    return SlidingWindows(window.size or 1, window.step, statistics, zeros=zeros)


_RULES: Mapping[WindowType, Callable[[StreamWindow, WindowStatistics], WindowRule]] = {
    "none": lambda *_: EachRecord(),
    "tumbling": _sliding,
    "sliding": _sliding,
    "stagger": lambda window, statistics: StaggerWindows(window.step, statistics),
    "count": lambda window, statistics: CountWindows(window.size or 1, window.step, statistics),
}
