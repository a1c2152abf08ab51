"""The windows of one stream: which records are late, which rows a record completes, and which ones the clock does."""

from collections.abc import Callable, Mapping
from math import inf

from cutwatch.detectors.stream import Stream
from cutwatch.detectors.stream_window import StreamWindow, WindowType, idle_seconds, pane_sample
from cutwatch.streams.count_windows import CountWindows
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.record import PART, Record
from cutwatch.streams.time_windows import SlidingWindows, StaggerWindows
from cutwatch.streams.window_statistics import WindowStatistics
from cutwatch.streams.windows import ClosedWindow, EachRecord, WindowRule

# Beyond this many lanes of a key, a new one makes it forget the idle ones, whether windows are due or not: shards that were
# split never come back.
_MOST_LANES = 64


class KeyWindows:
    """Windows over the records of each key of a stream; all that changes is in the states of the keys.

    The watermark of a key, up to which its windows are closed, is `allowed_lateness` behind the least of its lanes' newest event times: after a
    backlog, lanes are read at different speeds. Unless `by_lane`, all records of a key are of one lane.
    """

    def __init__(self, stream: Stream, *, by_lane: bool = True) -> None:
        window = stream.window
        values = tuple(stream.record.values)
        statistics = WindowStatistics(window.statistics, values, pane_sample(window))
        self._rule = _RULES[window.type](window, statistics)
        self._lateness = window.allowed_lateness
        self._idle = idle_seconds(window)
        self._by_lane = by_lane

    def is_late(self, state: KeyState, record: Record) -> bool:
        """Return True if a record is too late for its key: behind its own lane, or in a window that was closed."""
        return self._is_late(state, state.lanes.get(self._lane(record)), record.time)

    def _is_late(self, state: KeyState, newest: float | None, time: float) -> bool:
        """Compare a time with the newest of its lane. States of earlier versions have no lanes: the key's newest counts."""
        if newest is None:
            newest = -inf if state.lanes else state.newest
        return time < newest - self._lateness or time < state.windows.closed

    def add(self, state: KeyState, record: Record) -> list[ClosedWindow] | None:
        """Add a record to its key; return the rows that are complete with it, or None if it is late."""
        time, windows, lanes = record.time, state.windows, state.lanes
        lane = self._lane(record)
        newest = lanes.get(lane)
        if self._is_late(state, newest, time):
            return None
        if newest is None or time > newest:
            lanes[lane] = time
        state.newest = max(state.newest, time)
        rows = self._rule.add(windows, record)
        is_crowded = newest is None and len(lanes) > _MOST_LANES
        if windows.due <= state.newest - self._lateness or is_crowded:
            rows += self._rule.close(windows, self._watermark(state))
        return rows

    def _lane(self, record: Record) -> str:
        """Return the lane whose order a record keeps; the parts into which a preprocessor divided it share one."""
        return record.lane.partition(PART)[0] if self._by_lane else ""

    def _watermark(self, state: KeyState) -> float:
        """Forget the lanes that are idle; return the time up to which windows are complete."""
        lanes, since = state.lanes, state.newest - self._idle
        for lane in [each for each, time in lanes.items() if time < since]:
            del lanes[lane]
        return min(lanes.values(), default=state.newest) - self._lateness

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
