"""Excursions that recur at about their time of day or week, and that do not come."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.missed_excursions import (
    missed_deviation,
    missed_excursions,
    range_of_last,
)
from cutwatch.detection.parameters import DAY, DEFAULT, HOUR
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

FIVE_MINUTES = 300
START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAYS, LAST = 29, 28
JITTERS = st.lists(st.integers(-20, 20), min_size=DAYS, max_size=DAYS)


def metric(
    runs: Callable[[int], bool] = lambda _: True,
    jitter: list[int] | None = None,
    minutes: int = 30,
    height: float = 70.0,
    period: int = FIVE_MINUTES,
) -> Floats:
    """Noise of 2 around 50, and a job at two o'clock on the days on which it runs."""
    a_day = DAY // period
    values = np.random.default_rng(7).normal(50, 2, DAYS * a_day)
    for day in filter(runs, range(DAYS)):
        begin = day * a_day + (7_200 + 60 * (jitter or [0] * DAYS)[day]) // period
        values[begin : begin + max(minutes * 60 // period, 1)] += height
    return values


def not_last(day: int) -> bool:
    return day != LAST


def missed(values: Floats, period: int = FIVE_MINUTES, time_zone: str = "UTC") -> Floats:
    history = np.arange(len(values)) < LAST * DAY // period
    series = Series(START, period, values)
    return missed_excursions(series, time_zone, history, np.full(len(values), 2.0), DEFAULT)


def on_day(statistic: Floats, day: int, period: int = FIVE_MINUTES) -> Floats:
    return statistic[day * DAY // period : (day + 1) * DAY // period]


def highest(values: Floats, day: int = LAST, period: int = FIVE_MINUTES) -> float:
    return float(on_day(missed(values, period), day, period).max())


@given(jitter=JITTERS, minutes=st.sampled_from([10, 30, 120]))
def test_a_job_that_does_not_run_is_missed_however_much_it_jitters(
    jitter: list[int], minutes: int
) -> None:
    assert highest(metric(not_last, jitter, minutes)) > 2 * DEFAULT.missed_excursion


@given(jitter=JITTERS, minutes=st.sampled_from([10, 30, 120]))
def test_nothing_is_missed_while_the_job_runs_every_night(jitter: list[int], minutes: int) -> None:
    assert missed(metric(jitter=jitter, minutes=minutes)).max() < DEFAULT.missed_excursion


def test_a_job_is_missed_within_an_hour_of_its_usual_time_and_not_before() -> None:
    reached = on_day(missed(metric(not_last)), LAST) >= DEFAULT.missed_excursion
    first = int(np.argmax(reached)) * FIVE_MINUTES

    assert 2 * HOUR < first <= 3 * HOUR


def test_a_dip_that_does_not_come_is_missed_like_a_peak() -> None:
    assert highest(metric(not_last, height=-40)) > DEFAULT.missed_excursion


def test_a_job_of_an_hourly_metric_is_missed() -> None:
    assert highest(metric(not_last, minutes=60, period=HOUR), period=HOUR) > (
        DEFAULT.missed_excursion
    )


def test_a_job_of_a_metric_without_noise_is_missed() -> None:
    values = np.where(metric(not_last) > 90, 70.0, 0.0)

    assert highest(values) > DEFAULT.missed_excursion


def test_metrics_coarser_than_an_hour_miss_nothing() -> None:
    assert not missed(metric(not_last, minutes=240, period=4 * HOUR), 4 * HOUR).any()


@pytest.mark.parametrize("day", [19, 20, 26, 27], ids=["Sat", "Sun", "next Sat", "next Sun"])
def test_a_job_of_workdays_is_not_missed_at_a_weekend(day: int) -> None:
    assert highest(metric(lambda each: each % 7 < 5), day) == 0


def test_a_job_of_workdays_is_missed_on_a_workday() -> None:
    workdays = metric(lambda day: day % 7 < 5 and day != LAST - 6)

    assert highest(workdays, LAST - 6) > DEFAULT.missed_excursion


def test_a_job_of_sundays_is_missed_on_a_sunday_after_three() -> None:
    sundays = metric(lambda day: day in {6, 13, 20})

    assert highest(sundays, 27) > DEFAULT.missed_excursion
    assert highest(sundays, 20) == 0


def test_a_job_that_is_given_up_is_missed_for_at_most_a_few_days() -> None:
    statistic = missed(metric(lambda day: day < 15))
    days = [day for day in range(DAYS) if on_day(statistic, day).max() > DEFAULT.missed_excursion]

    assert days == [15, 16, 17]


def test_a_job_that_came_for_fewer_than_five_days_is_not_missed() -> None:
    assert highest(metric(lambda day: day < 4), 4) == 0
    assert highest(metric(lambda day: day < 5), 5) > DEFAULT.missed_excursion


def test_missing_data_is_not_a_missed_job() -> None:
    values = metric(not_last)
    two = LAST * DAY // FIVE_MINUTES + 24
    values[two : two + 6] = np.nan

    assert highest(values) == 0


def test_heights_that_differ_as_much_as_the_day_without_say_nothing() -> None:
    heights = np.random.default_rng(3).permutation(np.linspace(15, 150, DAYS))
    values = metric(lambda _: False)
    for day, height in enumerate(heights[:LAST]):
        values[day * 288 + 24 : day * 288 + 30] += height

    assert highest(values) < DEFAULT.missed_excursion


def test_nothing_looks_ahead() -> None:
    values = metric(not_last)
    until = LAST * 288 + 40
    changed = np.concatenate([values[:until], values[until:] + 500])

    np.testing.assert_array_equal(missed(values)[:until], missed(changed)[:until])


@pytest.mark.parametrize(("time_zone", "hour"), [("Europe/Berlin", -1), ("Australia/Sydney", 1)])
def test_a_job_by_the_clock_is_not_missed_when_the_clocks_change(time_zone: str, hour: int) -> None:
    """They go forward in Berlin on 29 March, 27 days after the beginning, and back in Sydney a week later."""
    before = 26 if hour < 0 else 33
    hours = np.where(np.arange(40) <= before, 6, 6 + hour)
    values = np.random.default_rng(7).normal(50, 2, 40 * 288)
    for day, begin in enumerate(hours.tolist()):
        values[day * 288 + 12 * begin : day * 288 + 12 * begin + 6] += 70

    assert missed(values, time_zone=time_zone).max() < DEFAULT.missed_excursion
    assert missed(values).max() > DEFAULT.missed_excursion


def test_a_job_that_comes_twice_in_an_hour_that_comes_twice_looks_no_hour_ahead() -> None:
    values = np.random.default_rng(7).normal(50, 2, 40 * 288)
    until = 33 * 288 + 16 * 12 + 6
    changed = np.concatenate([values[:until], values[until:] + 500])

    first, second = (
        missed(each, time_zone="Australia/Sydney")[:until] for each in (values, changed)
    )
    np.testing.assert_array_equal(first, second)


def test_what_is_told_is_the_usual_peak_and_todays() -> None:
    values = metric(not_last)
    series = Series(START, FIVE_MINUTES, values)
    place = int(np.argmax(missed(values)))

    deviation = missed_deviation(series, "UTC", place, DEFAULT)

    assert deviation is not None
    assert deviation.value < 60
    assert deviation.low <= deviation.expected <= deviation.high
    assert deviation.expected == pytest.approx(122, abs=4)
    assert missed_deviation(series, "UTC", 2_000, replace(DEFAULT, edge_excess=1e9)) is None


@given(
    values=st.lists(st.floats(-9, 9) | st.just(float("nan")), min_size=1, max_size=30),
    size=st.integers(1, 35),
)
def test_the_range_is_that_of_the_known_values_of_the_window(
    values: list[float], size: int
) -> None:
    found = range_of_last(np.array(values), size)

    for position, each in enumerate(found.tolist()):
        window = np.array(values[max(position + 1 - size, 0) : position + 1])
        known = window[~np.isnan(window)]
        assert each == (known.max() - known.min() if len(known) else -np.inf)
