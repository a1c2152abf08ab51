from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sin

import pytest

from cutwatch.detection.band import BandPoint, ExpectedBand
from cutwatch.detectors.detector import Detector
from cutwatch.registry.band_store import from_item, to_item
from cutwatch.widget.band import band_label, shown_points
from tests.unit.cutwatch.widget.test_svg import REQUEST, START, elements, event, graph, points

HOUR = 3_600
BEGIN = int(START.timestamp())
SUMMED = Detector("orders", "Shop", "Orders", "Sum")


def band(first: int, hours: int) -> ExpectedBand:
    """A band that rises by one an hour, two below and three above what is expected."""
    return ExpectedBand(
        HOUR,
        tuple(BandPoint(BEGIN + n * HOUR, n - 2, n, n + 3) for n in range(first, first + hours)),
    )


def test_the_bands_of_adjacent_windows_are_one_that_reaches_from_end_to_end() -> None:
    [run] = shown_points([band(0, 24), band(24, 24)], BEGIN, BEGIN + 48 * HOUR)
    assert (run[0].time, run[-1].time) == (BEGIN, BEGIN + 48 * HOUR)
    assert {later.time - sooner.time for sooner, later in pairwise(run[1:-1])} == {HOUR}


def test_a_window_that_is_missing_is_a_gap() -> None:
    first, second = shown_points([band(0, 5), band(9, 5)], BEGIN, BEGIN + 48 * HOUR)
    assert first[-1].time == BEGIN + 5 * HOUR
    assert second[0].time == BEGIN + 9 * HOUR


def test_a_band_is_cut_at_the_ends_of_the_chart_where_it_is_between_two_points() -> None:
    [run] = shown_points([band(0, 24)], BEGIN + 3 * HOUR, BEGIN + 3.25 * HOUR)
    assert [point.time - BEGIN for point in run] == [3 * HOUR, 3.25 * HOUR]
    assert [point.expected for point in run] == [2.5, 2.75]
    assert [point.high - point.low for point in run] == [5, 5]


def test_the_range_lies_behind_the_metric_and_the_expected_line_over_it_and_an_event_in_it_has_no_range_of_its_own() -> (
    None
):
    facts = {"value": 9.0, "expected": 2.0, "expected_low": 1.0, "expected_high": 3.0}
    events = [event(10, 12, **facts)]
    metric = points(*(sin(n) for n in range(288)))
    runs = shown_points([band(0, 24)], BEGIN, BEGIN + 24 * HOUR)

    drawn = graph(metric, events=events, expected=runs)
    plain = graph(metric, events=events)

    classes = [each.get("class") for each in elements(drawn, "path")]
    assert classes.index("band") < classes.index(None) < classes.index("expected-line")
    assert "expected" not in [each.get("class") for each in elements(drawn, "rect")]
    assert "expected" in [each.get("class") for each in elements(plain, "rect")]


def test_a_year_of_hours_keeps_its_lowest_and_highest_in_every_column_of_the_picture() -> None:
    hours = 365 * 24
    year = ExpectedBand(
        HOUR,
        tuple(
            BandPoint(BEGIN + n * HOUR, n % 12 - 1.0, n % 12, n % 12 + 1.0) for n in range(hours)
        ),
    )
    end = START + timedelta(hours=hours)
    runs = shown_points([year], BEGIN, end.timestamp())
    drawn = graph(points(5, 6), expected=runs, request=replace(REQUEST, end=end))
    [area] = [each for each in elements(drawn, "path") if each.get("class") == "band"]

    corners = [tuple(map(float, each.split())) for each in area.get("d", "")[1:-1].split("L")]
    assert len(corners) < 4 * REQUEST.width
    heights = {round(y) for _, y in corners}
    assert len(heights) <= 4, (
        "each column has the range of its half days; the first and the last have a part"
    )


def test_values_of_a_longer_period_have_the_band_times_what_sums_grow_by() -> None:
    [run] = shown_points([band(0, 24)], BEGIN, BEGIN + 24 * HOUR, factor=2.0)
    assert [(each.low, each.expected, each.high) for each in run[1:4]] == [
        (-4.0, 0.0, 6.0),
        (-2.0, 2.0, 8.0),
        (0.0, 4.0, 10.0),
    ]


def test_the_legend_says_of_which_period_the_band_is() -> None:
    assert "5 min" not in band_label(SUMMED, 300)
    assert "90 % range of 5 min, times 12, " in band_label(SUMMED, 3_600)
    assert "90 % range of 5 min, with" in band_label(replace(SUMMED, statistic="p99"), 3_600)


def test_the_axis_has_room_for_the_band() -> None:
    runs = shown_points([band(0, 24)], BEGIN, BEGIN + 24 * HOUR)
    [path] = [
        each
        for each in elements(graph(points(5, 6), expected=runs), "path")
        if each.get("class") == "band"
    ]
    heights = [float(pair.split()[1]) for pair in path.get("d", "")[1:-1].split("L")]
    assert len(set(heights)) > 20
    assert min(heights) >= 0


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9, 1e100])
def test_a_stored_band_is_read_back_to_four_digits_of_its_width(scale: float) -> None:
    stored = ExpectedBand(
        HOUR,
        tuple(
            BandPoint(
                BEGIN + n * HOUR, scale * (1000 + sin(n) - 1), scale * (1000 + sin(n)), scale * 1002
            )
            for n in (0, 1, 2, 50, 167)
        ),
    )
    read = from_item(to_item(stored))
    assert read.step == HOUR
    for found, given in zip(read.points, stored.points, strict=True):
        assert found.time == given.time
        for edge in ("low", "expected", "high"):
            assert getattr(found, edge) == pytest.approx(getattr(given, edge), abs=0.001 * scale)


def test_a_week_of_hours_takes_few_kilobytes_in_the_registry() -> None:
    hours = range(168)
    week = ExpectedBand(
        HOUR,
        tuple(
            BandPoint(
                BEGIN + n * HOUR, 9e4 * sin(n) - 123.456, 9e4 * sin(n), 9e4 * sin(n) + 99.1 * n
            )
            for n in hours
        ),
    )
    assert to_item(week)["sk"] == f"{datetime.fromtimestamp(BEGIN, UTC):%Y-%m-%dT%H:%M:%SZ}"
    assert len(to_item(week)["points"]) < 4_000
