from typing import Any

import numpy as np
import pytest

from cutwatch.features.changes import difference, lag_one_autocorrelation, sudden_changes
from cutwatch.features.expectation import expect
from cutwatch.timeseries.series import Series
from tests.support.builders import NOON, a_series

RANDOM = np.random.default_rng(3)
NOISE = RANDOM.normal(100, 5, 2_000).tolist()
WALK = np.cumsum(RANDOM.normal(0, 1, 2_000)).tolist()
DAY = 288


@pytest.mark.parametrize(("values", "low", "high"), [(WALK, 0.95, 1), (NOISE, -0.1, 0.1)])
def test_smooth_metrics_are_autocorrelated_and_noise_is_not(
    values: list[float], low: float, high: float
) -> None:
    assert low <= lag_one_autocorrelation(a_series(values)) <= high


@pytest.mark.parametrize("values", [[], [None], [5], [5, 5, 5]])
def test_a_constant_or_empty_history_has_no_autocorrelation(values: list[Any]) -> None:
    assert lag_one_autocorrelation(a_series(values)) == 0


def test_a_level_that_moves_over_weeks_makes_noise_no_smooth_metric() -> None:
    shifted = np.array(NOISE) + 100 * (np.arange(len(NOISE)) // 1_000)
    assert lag_one_autocorrelation(a_series(shifted.tolist())) < 0.1


def test_a_single_outlier_changes_little() -> None:
    with_outlier = [*WALK[:1_000], 1e6, *WALK[1_000:]]
    assert lag_one_autocorrelation(a_series(with_outlier)) > 0.95


def test_a_difference_reaches_over_a_gap_to_the_datapoint_before_it() -> None:
    changes = difference(a_series([1, 3, None, None, 10]))

    assert changes[[0, 1, 4]].tolist() == [0, 2, 7]
    assert np.isnan(changes[[2, 3]]).all()


def test_after_a_long_silence_there_is_no_step() -> None:
    soon, late = (a_series([1.0, *[None] * gap, 9.0]) for gap in (11, 12))
    assert difference(soon)[-1] == 8
    assert difference(late)[-1] == 0


def test_a_step_that_comes_at_its_time_every_day_is_not_sudden_and_the_same_elsewhere_is() -> None:
    position = np.arange(15 * DAY) % DAY
    values = np.where(position >= DAY // 2, 200.0, 100.0) + RANDOM.normal(size=len(position))
    values[14 * DAY + 60] += 100
    series = Series(NOON, 300, values)
    start = int(series.epochs[14 * DAY])
    sizes = sudden_changes(series, series.epochs < start, expect(series, start, "UTC"))

    assert sizes[14 * DAY + DAY // 2] < 6
    assert sizes[14 * DAY + 60] > 20
