import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cutwatch.features.expectation import (
    Expectation,
    expect,
    resolution_of,
    scale_by_time_of_day,
)
from cutwatch.timeseries.series import Series
from tests.support.builders import NOON, a_series

Floats = NDArray[np.float64]
PERIOD, DAY = 900, 96
LEARNED = 14 * DAY


def expected(values: Floats) -> tuple[Series, Expectation]:
    """Two weeks are history, the rest is the window."""
    series = Series(NOON, PERIOD, values)
    return series, expect(series, int(series.epochs[LEARNED]), "UTC")


def share_inside(values: Floats) -> float:
    series, found = expected(values)
    inside = (series.values >= found.low) & (series.values <= found.high)
    return float(inside[LEARNED:].mean())


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.floats(0, 50),
    st.sampled_from(["normal", "gamma", "wandering"]),
    st.booleans(),
    st.floats(-5, 5),
)
def test_the_range_holds_nine_of_ten_datapoints_of_any_metric(
    seed: int, amplitude: float, noise: str, noisier_by_day: bool, drift: float
) -> None:
    random = np.random.default_rng(seed)
    days = np.arange(28 * DAY) / DAY
    wave = np.sin(2 * np.pi * days)
    steps = {
        "normal": random.normal(size=len(days)),
        "gamma": random.gamma(2, size=len(days)),
        "wandering": np.convolve(random.normal(size=len(days)), 0.8 ** np.arange(30), "same"),
    }[noise]
    scale = 1 + (wave + 1) * noisier_by_day
    assert 0.86 <= share_inside(100 + amplitude * wave + steps * scale + drift * days) <= 0.95


def test_the_range_is_as_wide_as_the_noise_at_its_time_of_day() -> None:
    random = np.random.default_rng(1)
    busy = np.arange(28 * DAY) % DAY >= DAY // 2
    _, found = expected(100 + random.normal(size=28 * DAY) * np.where(busy, 10, 1))
    width = found.high - found.low
    assert width[-DAY // 4] > 4 * width[-3 * DAY // 4]


def test_the_expected_value_follows_a_new_level_within_a_day() -> None:
    values = 100 + np.random.default_rng(2).normal(size=28 * DAY)
    values[20 * DAY :] += 50
    _, found = expected(values)
    assert found.values[20 * DAY + 4] < 105
    assert found.values[21 * DAY] == pytest.approx(150, abs=2)


def test_a_peak_that_does_not_come_leaves_the_range_though_its_values_are_usual() -> None:
    evening = np.isin(np.arange(28 * DAY) % DAY, range(76, 88))
    values = np.where(evening, 200.0, 100.0) + np.random.default_rng(3).normal(size=28 * DAY)
    values[20 * DAY : 21 * DAY][evening[:DAY]] -= 100
    _, found = expected(values)
    assert (found.deviations[20 * DAY : 21 * DAY][evening[:DAY]] < -10).all()


def test_what_comes_after_a_datapoint_does_not_change_what_was_expected_of_it() -> None:
    values = np.random.default_rng(4).normal(100, 5, 28 * DAY)
    _, whole = expected(values)
    _, part = expected(values[: 20 * DAY])
    for name in ("values", "low", "high", "scale"):
        np.testing.assert_allclose(getattr(whole, name)[: 20 * DAY], getattr(part, name))


def test_a_gap_has_an_expected_value_and_no_deviation() -> None:
    values = np.random.default_rng(5).normal(100, 5, 28 * DAY)
    values[20 * DAY : 20 * DAY + 10] = np.nan
    _, found = expected(values)
    assert found.values[20 * DAY] == pytest.approx(100, abs=5)
    assert np.isnan(found.deviations[20 * DAY : 20 * DAY + 10]).all()


def test_without_a_history_nothing_is_expected() -> None:
    series = a_series([1.0, 2.0])
    assert np.isnan(expect(series, int(series.epochs[0]), "UTC").values).all()


@pytest.mark.parametrize(
    ("values", "resolution"),
    [
        ([0] * 99 + [20], 1.0),
        ([5] * 100, 1),
        ([0.5] * 100, 0.005),
        ([3] * 99 + [4], 1),
        ([3] * 98 + [3.25, 9], 0.25),
        ([1, 2] * 50, 0),
        ([], 0),
        ([None], 0),
    ],
)
def test_a_metric_that_hardly_ever_changes_has_a_resolution(
    values: list[float | None], resolution: float
) -> None:
    assert resolution_of(a_series(values)) == pytest.approx(resolution)


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=30))
def test_the_overall_scale_is_that_of_the_median_of_all_sizes(sizes: list[float]) -> None:
    count = len(sizes)
    nowhere = np.zeros(count, np.int64)

    table, overall = scale_by_time_of_day(np.array(sizes), np.ones(count, bool), nowhere, 1)

    assert overall == 1.4826 * np.median(sizes)
    assert table.tolist() == [overall] * count
