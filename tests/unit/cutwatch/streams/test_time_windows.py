from collections.abc import Sequence

from cutwatch.streams.record import Record
from cutwatch.streams.time_windows import SlidingWindows, StaggerWindows
from cutwatch.streams.window_statistics import WindowStatistics
from cutwatch.streams.windows import MOST_EMPTY_WINDOWS, OpenWindows, WindowRule

COUNT = WindowStatistics(("count",), ("x",), 100)
SUM = WindowStatistics(("sum(x)",), ("x",), 100)
SILENCE = SlidingWindows(10, 10, COUNT, zeros=True)


def added(rule: WindowRule, times: Sequence[float], windows: OpenWindows | None = None) -> OpenWindows:  # fmt: skip
    """Return windows with a record at each time, which is also its value."""
    windows = windows or OpenWindows()
    for time in times:
        assert rule.add(windows, Record("a", time, (float(time),), "lane", 1)) == []
    return windows


def rows(rule: WindowRule, windows: OpenWindows, watermark: float) -> list[tuple[float, float]]:
    return [(time, values[0]) for time, values, _ in rule.close(windows, watermark)]


def test_a_tumbling_window_closes_when_the_watermark_passes_its_end() -> None:
    rule = SlidingWindows(60, 60, COUNT)
    windows = added(rule, (119.9, 60, 120))

    assert rule.close(windows, 119.9) == []
    assert rule.close(windows, 120) == [(60, (2.0,), ("tumbling", 60))]
    assert rule.close(windows, 120) == []
    assert list(windows.panes) == [120]


def test_windows_close_in_the_order_of_time() -> None:
    rule = SlidingWindows(10, 10, SUM)
    assert rows(rule, added(rule, (25, 5, 15)), 100) == [(0, 5), (10, 15), (20, 25)]


def test_a_sliding_window_has_a_row_at_each_step_that_has_its_last_steps_begin() -> None:
    rule = SlidingWindows(30, 10, SUM)
    windows = added(rule, (5, 25))

    assert rule.close(windows, 10) == [(0, (5.0,), ("sliding", 0))]
    assert rows(rule, windows, 50) == [(10, 5), (20, 30), (30, 25), (40, 25)]
    assert (windows.panes, windows.due) == ({}, float("inf"))


def test_a_long_silence_has_no_rows_of_its_own() -> None:
    rule = SlidingWindows(30, 10, COUNT)
    windows = added(rule, (5, 1_000_005))
    assert [time for time, _ in rows(rule, windows, 2e6)] == [0, 10, 20, 1_000_000, 1_000_010, 1_000_020]  # fmt: skip


def test_windows_without_records_are_zeros_on_request() -> None:
    assert rows(SILENCE, added(SILENCE, (5, 35)), 40) == [(0, 1), (10, 0), (20, 0), (30, 1)]


def test_a_silent_key_idles_after_a_bounded_number_of_zeros() -> None:
    windows = added(SILENCE, (5,))
    found = rows(SILENCE, windows, 1e9)

    assert found == [(0, 1), *((10 * n, 0) for n in range(1, MOST_EMPTY_WINDOWS + 1))]
    assert windows.due == float("inf")
    later = added(SILENCE, (1e8,), windows)
    assert rows(SILENCE, later, 2e8)[:2] == [(1e8, 1), (1e8 + 10, 0)]


def test_a_key_that_has_never_had_a_record_has_no_zeros() -> None:
    assert SILENCE.close(OpenWindows(), 1e9) == []


def test_a_stagger_window_opens_with_its_first_record() -> None:
    rule = StaggerWindows(60, COUNT)
    windows = added(rule, (100.5, 160, 160.5, 400))

    assert rule.close(windows, 160) == []
    assert rule.close(windows, 160.5) == [(100.5, (2.0,), ("stagger", 100_500_000))]
    assert rows(rule, windows, 1e9) == [(160.5, 1), (400, 1)]


def test_a_record_shortly_before_a_stagger_window_belongs_to_it() -> None:
    rule = StaggerWindows(60, COUNT)
    windows = added(rule, (100, 50, 40))
    assert rows(rule, windows, 1e9) == [(40, 1), (100, 2)]


def test_stagger_windows_in_descending_order_stay_few() -> None:
    rule = StaggerWindows(60, COUNT)
    windows = added(rule, range(1_000, 0, -1))
    assert len(windows.panes) == 1_000 // 60 + 1
