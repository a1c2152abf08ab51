import numpy as np
import pytest
from numpy.typing import NDArray

from cutwatch.detection.parameters import DEFAULT
from cutwatch.detection.recurrence import find_peaks, peak_level, recurring_peaks

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
