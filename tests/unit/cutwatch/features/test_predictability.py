"""Which metrics are called unpredictable: constant ones and random walks, at every period; no others."""

from datetime import UTC, datetime

import numpy as np
import pytest
from numpy.typing import NDArray

from cutwatch.features.predictability import why_unpredictable
from cutwatch.timeseries.series import Series

DAYS = 90
PERIODS = [300, 3_600, 86_400]


def about(values: NDArray[np.float64], period: int) -> str | None:
    return why_unpredictable(Series(datetime(2026, 9, 7, tzinfo=UTC), period, values))


def noise(period: int, seed: int) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=max(DAYS * 86_400 // period, 400))


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("seed", range(5))
def test_a_random_walk_is_called_one(period: int, seed: int) -> None:
    said = about(1_000 + np.cumsum(noise(period, seed)), period)
    assert said is not None
    assert "random walk" in said


@pytest.mark.parametrize("period", PERIODS)
def test_a_metric_that_never_changes_is_called_constant(period: int) -> None:
    said = about(np.where(np.arange(500) % 7 == 0, np.nan, 5.0), period)
    assert said == "the metric never changed, so any change will be an anomaly"


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("seed", range(5))
def test_noise_rhythms_and_persistent_metrics_are_not_called_unpredictable(
    period: int, seed: int
) -> None:
    plain = noise(period, seed)
    days = np.arange(len(plain)) * period / 86_400
    persistent = np.zeros(len(plain))
    for position in range(1, len(plain)):
        persistent[position] = 0.7 * persistent[position - 1] + plain[position]
    assert about(100 + plain, period) is None
    assert about(100 + 10 * np.sin(2 * np.pi * days / 7) + plain, period) is None
    assert about(100 + persistent, period) is None


@pytest.mark.parametrize("period", [300, 3_600])
def test_a_smooth_rhythm_of_days_or_weeks_is_not_wandering(period: int) -> None:
    days = np.arange(DAYS * 86_400 // period) * period / 86_400
    assert about(np.sin(2 * np.pi * days), period) is None
    assert about(np.where(days % 7 < 5, 2, 1) * np.sin(2 * np.pi * days), period) is None


@pytest.mark.parametrize("period", PERIODS)
def test_a_status_check_that_failed_for_a_while_is_not_wandering(period: int) -> None:
    failed = np.zeros(DAYS * 86_400 // period)
    # As long as a random walk needs to go as far over a week as this one does.
    length = round((7 * 86_400 / period) ** 0.5)
    failed[len(failed) // 2 :][:length] = 1
    assert about(failed, period) is None
