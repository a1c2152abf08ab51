import numpy as np
import pytest
from numpy.typing import NDArray

from cutwatch.detection.parameters import DEFAULT
from cutwatch.detection.recurrence import (
    came_lately,
    find_peaks,
    peak_level,
    recurring_peaks,
    usual_edges,
    whole_excursions,
)

Floats = NDArray[np.float64]
PERIOD, DAY = 300, 288


def nightly(days: int, times: list[int], height: float = 4.0) -> Floats:
    """A peak each day, at the given positions of the day in turn."""
    statistic = np.zeros(days * DAY)
    for day in range(days):
        statistic[day * DAY + times[day % len(times)]] = height
    return statistic


def recurring(statistic: Floats, **options: bool) -> Floats:
    return recurring_peaks(statistic, PERIOD, DEFAULT, **options)


def test_what_comes_every_night_within_twenty_minutes_is_usual_after_a_week() -> None:
    statistic = nightly(9, [24, 28, 20, 26, 22])
    assert recurring(statistic)[8 * DAY + 24] == 4.0


def test_one_night_without_it_changes_nothing() -> None:
    statistic = nightly(9, [24])
    statistic[7 * DAY : 8 * DAY] = 0.0
    assert recurring(statistic)[8 * DAY + 24] == 4.0


def test_what_came_on_two_of_seven_nights_is_not_usual() -> None:
    statistic = nightly(9, [24])
    statistic[: 6 * DAY] = 0.0
    assert recurring(statistic)[8 * DAY + 24] == 0.0


def test_the_same_at_another_time_of_the_day_is_not_usual() -> None:
    assert recurring(nightly(9, [24]))[8 * DAY + 168] == 0.0


def test_of_a_rare_metric_what_comes_daily_is_usual_at_any_time() -> None:
    statistic = nightly(9, [24])
    assert recurring(statistic, at_any_time=True)[8 * DAY + 100] == 4.0


def test_what_comes_every_monday_is_usual_after_three() -> None:
    statistic = np.zeros(29 * DAY)
    statistic[[0 * DAY + 24, 7 * DAY + 24, 14 * DAY + 24]] = 4.0
    assert recurring(statistic)[21 * DAY + 24] == 4.0
    assert recurring(statistic)[14 * DAY + 24] == 0.0


def test_a_young_metric_is_held_against_the_days_that_it_has() -> None:
    assert recurring(nightly(2, [24]))[DAY + 24] == 4.0


@pytest.mark.parametrize("period", [43_200, 86_400])
def test_within_a_few_datapoints_a_day_nothing_recurs(period: int) -> None:
    assert recurring_peaks(np.ones(100), period, DEFAULT).max() == 0.0


def test_the_peak_level_is_the_third_largest_peak_of_three_weeks() -> None:
    statistic = np.zeros(30 * DAY)
    statistic[[DAY, 10 * DAY, 11 * DAY, 12 * DAY, 13 * DAY]] = [9.0, 5.0, 7.0, 3.0, 1.0]
    level = peak_level(statistic, PERIOD, DEFAULT)

    assert level[DAY] == 0.0
    assert level[14 * DAY] == 5.0
    assert level[23 * DAY] == 3.0


def test_of_equal_heights_the_first_is_the_peak() -> None:
    assert find_peaks(np.array([0.0, 5.0, 5.0, 0.0, np.nan, 1.0, 6.0]), 2).tolist() == [1, 6]


def with_jobs(begins: list[int], height: float = 70.0) -> Floats:
    """A metric of 20 whose job lasts six datapoints, from the given position of each day on."""
    values = np.full(len(begins) * DAY, 20.0)
    for day, begin in enumerate(begins):
        values[day * DAY + begin :][:6] += height
    return values


def edges_are_usual(values: Floats, residual: float, at: int = 24, period: int = PERIOD) -> bool:
    """Say so of the last day, whose job is `residual` off what is expected at a position."""
    residuals = np.zeros(len(values))
    place = len(values) - DAY + at
    residuals[place] = residual
    return bool(usual_edges(values, residuals, residuals != 0, period, DEFAULT)[place])


JITTERING = [24, 28, 20, 26, 22, 27, 21, 24]


@pytest.mark.parametrize("residual", [70.0, -70.0, 100.0])
def test_what_is_no_further_off_than_a_daily_job_rises_is_usual(residual: float) -> None:
    assert edges_are_usual(with_jobs(JITTERING), residual)


def test_what_is_further_off_is_not() -> None:
    assert not edges_are_usual(with_jobs(JITTERING), 110.0)


def test_nor_is_a_job_that_rises_twice_as_high() -> None:
    values = with_jobs(JITTERING)
    values[7 * DAY + 24 :][:6] += 70.0
    assert not edges_are_usual(values, 70.0)


def test_nor_is_a_rise_as_high_at_another_time() -> None:
    values = with_jobs(JITTERING)
    values[7 * DAY + 100 :][:6] += 70.0
    assert not edges_are_usual(values, 70.0, at=101)


def test_a_job_of_four_days_out_of_seven_is_not_daily() -> None:
    values = with_jobs(JITTERING)
    values[: 3 * DAY] = 20.0
    assert not edges_are_usual(values, 70.0)
    values[2 * DAY + 20 :][:6] = 90.0
    assert edges_are_usual(values, 70.0)


def test_an_excursion_that_began_an_hour_before_its_usual_time_is_not_cut_there() -> None:
    residuals = np.zeros(8 * DAY)
    residuals[7 * DAY + 8 : 7 * DAY + 25] = 70.0
    found = usual_edges(with_jobs(JITTERING), residuals, residuals != 0, PERIOD, DEFAULT)

    assert not found[7 * DAY + 8 : 7 * DAY + 25].any()
    assert found[7 * DAY + 26]


def test_hourly_datapoints_do_not_show_a_shift_of_minutes() -> None:
    assert not edges_are_usual(with_jobs(JITTERING), 70.0, period=3_600)


@pytest.mark.parametrize(("days_ago", "lately"), [(1, True), (14, True), (15, False)])
def test_the_cutoff_was_reached_at_this_time_of_day_in_the_last_two_weeks(
    days_ago: int, *, lately: bool
) -> None:
    multiples = np.zeros(16 * DAY)
    multiples[(15 - days_ago) * DAY + 30] = 1.0
    seen = came_lately(multiples, PERIOD, DEFAULT)[15 * DAY :]

    assert bool(seen[24]) == lately
    assert not seen[40]


def test_what_nearly_reached_the_cutoff_does_not_count() -> None:
    multiples = np.full(2 * DAY, 0.99)
    assert not came_lately(multiples, PERIOD, DEFAULT).any()


def flags(marks: str) -> NDArray[np.bool_]:
    return np.array([mark == "x" for mark in marks])


@pytest.mark.parametrize(
    ("usual", "outside", "left"),
    [
        ("xxxxxx", ".xxxx.", "xxxxxx"),
        ("...xxx", "......", "...xxx"),
        ("..xxxx", ".xxxx.", ".....x"),
        (".xx.xx", ".xxxx.", ".xx..x"),
        ("..xxxx", ".xx.xx", "...xxx"),
    ],
)
def test_an_excursion_that_was_unusual_stays_so_to_its_end(
    usual: str, outside: str, left: str
) -> None:
    assert whole_excursions(flags(usual), flags(outside)).tolist() == flags(left).tolist()
