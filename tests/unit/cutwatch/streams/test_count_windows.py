from cutwatch.streams.count_windows import CountWindows
from cutwatch.streams.record import Record
from cutwatch.streams.window_statistics import WindowStatistics
from cutwatch.streams.windows import OpenWindows

SUM = WindowStatistics(("sum(x)",), ("x",), 100)


def rows(rule: CountWindows, values: range) -> list[tuple[float, float, int]]:
    windows, found = OpenWindows(), []
    for value in values:
        for time, (total,), (lane, position) in rule.add(windows, Record("a", value * 10, (value,), "l", value)):  # fmt: skip
            assert lane == "l"
            found.append((time, total, position))
    return found


def test_a_row_is_complete_with_its_last_record() -> None:
    assert rows(CountWindows(3, 3, SUM), range(8)) == [(20, 3, 2), (50, 12, 5)]


def test_overlapping_windows_begin_when_the_first_is_full() -> None:
    expected = [(30, 6, 3), (50, 14, 5), (70, 22, 7)]
    assert rows(CountWindows(4, 2, SUM), range(8)) == expected


def test_a_window_of_one_record_is_the_record() -> None:
    assert rows(CountWindows(1, 1, SUM), range(3)) == [(0, 0, 0), (10, 1, 1), (20, 2, 2)]


def test_time_closes_no_window() -> None:
    rule, windows = CountWindows(3, 3, SUM), OpenWindows()
    rule.add(windows, Record("a", 1, (1,), "l", 1))
    assert (rule.close(windows, 1e9), windows.due) == ([], float("inf"))
