"""Each type of windows against a plain one, which keeps every record and looks at all of them again."""

import json
from collections.abc import Iterator
from math import floor, fsum, inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detectors.stream_window import LARGEST_SAMPLE, StreamWindow, pane_sample
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.record import Record
from cutwatch.streams.windows import MOST_EMPTY_WINDOWS, OpenWindows
from tests.support.streams import a_stream

STATISTICS = ("count", "sum(x)", "mean(x)", "min(x)", "max(x)", "p90(x)")
SILENT = ("count", "sum(x)")
WINDOWS = {
    "none": StreamWindow(allowed_lateness=20),
    "tumbling": StreamWindow("tumbling", 10, STATISTICS, 20),
    "sliding": StreamWindow("sliding", 30, STATISTICS, 15, every=10),
    "tumbling with zeros": StreamWindow("tumbling", 10, SILENT, 5, missing_data="zero"),
    "sliding with zeros": StreamWindow("sliding", 20, SILENT, 7, every=5, missing_data="zero"),
    "stagger": StreamWindow("stagger", 10, STATISTICS, 20),
    "count": StreamWindow("count", 4, STATISTICS, 20),
    "overlapping count": StreamWindow("count", 6, STATISTICS, 20, every=2),
}
Row = tuple[float, tuple[float, ...]]
each_window = pytest.mark.parametrize("name", WINDOWS)

# Seconds that pass before a record; below 0, it is out of order, or late.
steps = st.lists(
    st.tuples(st.sampled_from([*range(-30, 30), 0.5, -0.25, 100, 2_000]), st.integers(-50, 50)),
    max_size=60,
)


def records_of(moves: list[tuple[float, int]]) -> list[Record]:
    time, found = 1_000.0, []
    for number, (step, value) in enumerate(moves):
        time = max(time + step, 0.0)
        found.append(Record("a", time, (float(value),), "0", number))
    return found


class Live:
    """The windows of a key, with the records that were accepted and the rows that were closed."""

    def __init__(self, window: StreamWindow) -> None:
        self.windows = KeyWindows(a_stream(window=window))
        self.state: KeyState | None = None
        self.rows: list[Row] = []
        self.accepted: list[Record] = []
        self.late = 0

    def add(self, record: Record) -> None:
        if self.state is None:
            self.state = KeyState.of_new_key(a_stream(), "a", record.time)
        rows = self.windows.add(self.state, record)
        if rows is None:
            self.late += 1
            return
        self.accepted.append(record)
        self.rows += [(time, values) for time, values, _ in rows]

    def close(self, now: float) -> None:
        if self.state is not None:
            self.rows += [(time, values) for time, values, _ in self.windows.close(self.state, now)]

    def store(self) -> None:
        if self.state is not None:
            payload = json.loads(json.dumps(self.state.windows.to_payload(), allow_nan=False))
            self.state.windows = OpenWindows.from_payload(payload)

    @property
    def next_close(self) -> float:
        return self.windows.next_close(self.state) if self.state else inf


def row_of(records: list[Record], window: StreamWindow) -> tuple[float, ...]:
    x = [record.values[0] for record in records]
    every = {
        "count": float(len(x)),
        "sum(x)": fsum(x),
        "mean(x)": fsum(x) / len(x) if x else 0.0,
        "min(x)": min(x, default=0.0),
        "max(x)": max(x, default=0.0),
        "p90(x)": float(np.percentile(x, 90)) if x else 0.0,
    }
    return tuple(every[name] for name in window.statistics)


def plain(records: list[Record], window: StreamWindow) -> list[Row]:
    """Return the rows of all windows that have ended, from every record that was accepted."""
    watermark = max((each.time for each in records), default=0.0) - window.allowed_lateness
    return [*_PLAIN[window.type](records, window, watermark)]


def plain_none(records: list[Record], _: StreamWindow, __: float) -> Iterator[Row]:
    yield from ((each.time, each.values) for each in records)


def plain_time(records: list[Record], window: StreamWindow, watermark: float) -> Iterator[Row]:
    size, every = window.size or 1, window.step
    end = floor(min((each.time for each in records), default=0.0) / every) * every + every
    filled = -inf
    while end <= watermark:
        inside = [each for each in records if end - size <= each.time < end]
        filled = end if inside else filled
        zero = window.missing_data == "zero" and end - filled <= MOST_EMPTY_WINDOWS * every
        if inside or zero:
            yield end - every, row_of(inside, window)
        end += every


def plain_stagger(records: list[Record], window: StreamWindow, watermark: float) -> Iterator[Row]:
    size = window.size or 1
    windows: dict[float, list[Record]] = {}
    for record in records:
        containing = [start for start in windows if start <= record.time < start + size]
        after = [start for start in windows if record.time < start < record.time + size]
        windows.setdefault((containing or after or [record.time])[0], []).append(record)
    for start in sorted(windows):
        if start + size <= watermark:
            yield start, row_of(windows[start], window)


def plain_count(records: list[Record], window: StreamWindow, _: float) -> Iterator[Row]:
    size = window.size or 1
    for end in range(size, len(records) + 1, window.step):
        yield records[end - 1].time, row_of(records[end - size : end], window)


_PLAIN = {
    "none": plain_none,
    "tumbling": plain_time,
    "sliding": plain_time,
    "stagger": plain_stagger,
    "count": plain_count,
}


def same(found: list[Row], expected: list[Row]) -> bool:
    return [time for time, _ in found] == [time for time, _ in expected] and all(
        values == pytest.approx(others)
        for (_, values), (_, others) in zip(found, expected, strict=True)
    )


@each_window
@settings(max_examples=30, deadline=None)
@given(moves=steps, stored=st.sets(st.integers(0, 60)))
def test_rows_are_those_of_all_records_looked_at_again(
    name: str, moves: list[tuple[float, int]], stored: set[int]
) -> None:
    live, whole = Live(WINDOWS[name]), Live(WINDOWS[name])
    for number, record in enumerate(records_of(moves)):
        live.add(record)
        whole.add(record)
        if number in stored:
            live.store()

    assert same(live.rows, plain(live.accepted, WINDOWS[name])), live.rows
    assert (live.rows, live.late) == (whole.rows, whole.late)


@each_window
@settings(max_examples=30, deadline=None)
@given(moves=steps)
def test_a_record_is_late_behind_the_newest_time_only(
    name: str, moves: list[tuple[float, int]]
) -> None:
    live, newest, late = Live(WINDOWS[name]), -inf, 0
    for record in records_of(moves):
        late += record.time < newest - WINDOWS[name].allowed_lateness
        newest = max(newest, record.time)
        live.add(record)
    assert live.late == late


@each_window
@settings(max_examples=30, deadline=None)
@given(moves=steps, clocks=st.dictionaries(st.integers(0, 60), st.integers(-60, 200)))
def test_the_clock_closes_nothing_that_records_would_not_close_the_same(
    name: str, moves: list[tuple[float, int]], clocks: dict[int, int]
) -> None:
    """Rows are those of the accepted records once time has passed; records of windows that the clock closed are late."""
    live, window = Live(WINDOWS[name]), WINDOWS[name]
    for number, record in enumerate(records_of(moves)):
        live.add(record)
        if number in clocks:
            before, due = len(live.rows), live.next_close
            live.close(record.time + clocks[number])
            assert (len(live.rows) > before) == (due <= record.time + clocks[number])
            live.store()
    live.close(1e6)
    ever = [*live.accepted, Record("a", 1e9, (0.0,), "0", 0)]
    expected = [row for row in plain_until(ever, window) if row[0] < 1e6]

    assert same(live.rows, expected), (live.rows, expected)
    assert live.next_close == inf


def plain_until(records: list[Record], window: StreamWindow) -> list[Row]:
    """Return the rows up to the last record, which only closes windows."""
    if window.type in ("none", "count"):
        return plain(records[:-1], window)
    if window.type == "stagger":
        return plain(records, window)
    times = [each.time for each in records[:-1]]
    end = max(times, default=0.0) + (window.size or 1) + (MOST_EMPTY_WINDOWS + 1) * window.step
    return [*plain_time(records[:-1], window, end)] if times else []


def test_a_record_of_a_window_that_the_clock_closed_is_late() -> None:
    live = Live(WINDOWS["tumbling"])
    for time in (1_001.0, 1_012.0):
        live.add(Record("a", time, (1.0,), "0", 0))

    assert live.next_close == 1_030
    live.close(1_029.9)
    assert live.rows == []
    live.close(1_030)
    assert [time for time, _ in live.rows] == [1_000]
    live.add(Record("a", 1_009.0, (1.0,), "0", 1))
    assert live.late == 1
    live.add(Record("a", 1_010.0, (1.0,), "0", 2))
    assert live.late == 1


@pytest.mark.parametrize(
    ("window", "sample"),
    [
        (StreamWindow("tumbling", 60, ("p95(x)",)), LARGEST_SAMPLE),
        (StreamWindow("sliding", 3_600, ("p95(x)", "p5(x)"), every=60), 1_057),
        (StreamWindow("sliding", 3_600, ("p95(x)", "p95(y)"), every=60), 528),
        (StreamWindow("count", 10_000, ("p95(x)",), every=1_000), LARGEST_SAMPLE),
    ],
)
def test_the_values_that_a_key_keeps_for_percentiles_are_bounded(
    window: StreamWindow, sample: int
) -> None:
    assert pane_sample(window) == sample
