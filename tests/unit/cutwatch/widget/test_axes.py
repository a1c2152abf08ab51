"""Scales and ticks: whatever the range is, marks lie on it, in order, and no more than asked for."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cutwatch.widget.axes import Scale, time_ticks, value_range, value_ticks

NUMBERS = st.floats(-1e12, 1e12)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
STARTS = st.integers(1_262_304_000, 2_208_988_800).map(lambda at: datetime.fromtimestamp(at, UTC))
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_every_value_is_drawn_within_the_plot(low: float, high: float, value: float) -> None:
    assume(low < high)
    assert 100 <= Scale(low, high, 300, 100)(value) <= 300


def test_a_scale_may_run_upwards() -> None:
    y = Scale(0, 10, 300, 100)
    assert [y(0), y(5), y(10), y(99)] == [300, 200, 100, 100]


@given(st.lists(NUMBERS, max_size=20))
def test_the_range_holds_every_value_and_is_never_empty(values: list[float]) -> None:
    low, high = value_range(values)
    assert low < high
    assert all(low <= value <= high for value in values)


@pytest.mark.parametrize(
    ("values", "bottom"), [([3, 10], 0), ([9, 10], 8.94), ([-5, 10], -5.9), ([0, 0], 0)]
)
def test_the_range_begins_at_zero_where_that_costs_little(
    values: list[float], bottom: float
) -> None:
    assert value_range(values)[0] == pytest.approx(bottom)


@given(NUMBERS, NUMBERS, st.integers(1, 12))
def test_value_ticks_are_few_even_and_within(low: float, high: float, most: int) -> None:
    assume(high - low > 1e-9 * max(abs(low), abs(high), 1e-9))
    ticks = value_ticks(low, high, most)
    slack = 1e-6 * (high - low)
    assert len(ticks) <= most
    assert ticks == sorted(ticks)
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = {round((later - earlier) / (high - low), 6) for earlier, later in pairwise(ticks)}
    assert len(steps) <= 1


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 328, [0, 100, 200, 300]), (0.88, 1.06, [0.9, 0.95, 1.0, 1.05]), (-6, 11, [-5, 0, 5, 10])],
)
def test_value_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert value_ticks(low, high, 4) == pytest.approx(ticks)


def test_no_span_has_no_ticks() -> None:
    assert value_ticks(1, 1, 5) == value_ticks(0, float("inf"), 5) == value_ticks(0, 1, 0) == []


@given(STARTS, st.integers(60, 5 * 365 * 86_400), ZONES, st.integers(1, 20))
def test_time_ticks_are_few_in_order_and_within(
    start: datetime, seconds: int, zone: timezone, most: int
) -> None:
    end = start + timedelta(seconds=seconds)
    moments = [moment for moment, _ in time_ticks(start, end, zone, most)]
    assert len(moments) <= most
    assert moments == sorted(set(moments))
    assert all(start <= moment <= end for moment in moments)


@given(STARTS, st.integers(3_600, 400 * 86_400), ZONES, st.integers(4, 20))
def test_a_time_axis_has_ticks_enough_to_read_it(
    start: datetime, seconds: int, zone: timezone, most: int
) -> None:
    end = start + timedelta(seconds=seconds)
    assert len(time_ticks(start, end, zone, most)) >= most // 4


@given(STARTS, ZONES)
def test_days_begin_at_midnight_of_the_zone(start: datetime, zone: timezone) -> None:
    for moment, label in time_ticks(start, start + timedelta(days=6), zone, 8):
        assert (moment.hour, moment.minute) == (0, 0)
        assert label == f"{moment.day} {moment:%b}"


@pytest.mark.parametrize(
    ("span", "labels"),
    [
        (timedelta(minutes=30), ["12:00", "12:10", "12:20", "12:30"]),
        (timedelta(hours=18), ["12:00", "18:00", "11 Jun", "06:00"]),
        (timedelta(days=3), ["11 Jun", "12 Jun", "13 Jun"]),
        (timedelta(days=20), ["15 Jun", "22 Jun", "29 Jun"]),
        (timedelta(days=100), ["Jul 2026", "Aug 2026", "Sep 2026"]),
        (timedelta(days=300), ["Jul 2026", "Oct 2026", "Jan 2027", "Apr 2027"]),
    ],
)
def test_labels_fit_the_span(span: timedelta, labels: list[str]) -> None:
    found = [label for _, label in time_ticks(NOON, NOON + span, UTC, 4)]
    assert found == labels


def test_the_axis_is_in_the_dashboard_s_zone() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    ticks = time_ticks(NOON, NOON + timedelta(hours=3), india, 5)
    assert [label for _, label in ticks] == ["18:00", "19:00", "20:00"]
    assert ticks[0][0] == NOON + timedelta(minutes=30)
