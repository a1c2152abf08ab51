import json
from math import inf

from cutwatch.streams.record import Record
from cutwatch.streams.window_statistics import Pane
from cutwatch.streams.windows import EachRecord, OpenWindows


def stored_and_read(windows: OpenWindows) -> OpenWindows:
    return OpenWindows.from_payload(json.loads(json.dumps(windows.to_payload(), allow_nan=False)))


def test_everything_that_is_kept_is_stored() -> None:
    pane = Pane(2, [3.0], [1.0], [2.0], [[1.0, 2.0]])
    windows = OpenWindows({60: pane}, due=120, closed=60, filled=60, records=2)
    again = stored_and_read(windows)

    assert again.to_payload() == windows.to_payload()
    assert (again.due, again.closed, again.filled, again.records) == (120, 60, 60, 2)


def test_a_key_without_windows_is_stored() -> None:
    again = stored_and_read(OpenWindows())
    assert (again.panes, again.due, again.closed, again.filled) == ({}, inf, -inf, -inf)


def test_panes_of_closed_windows_are_not_open() -> None:
    pane = Pane(1, [], [], [], [])
    assert OpenWindows({0: pane, 60: pane, 120: pane}, closed=60).open == 2


def test_without_windows_each_record_is_a_row() -> None:
    rule, windows = EachRecord(), OpenWindows()

    assert rule.add(windows, Record("a", 5.0, (1.0,), "lane", 7)) == [(5.0, (1.0,), ("lane", 7))]
    assert rule.close(windows, inf) == []
    assert windows.due == inf
