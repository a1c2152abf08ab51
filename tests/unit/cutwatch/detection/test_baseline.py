from typing import TYPE_CHECKING

import numpy as np
import pytest

from cutwatch.detection.baseline import Baseline
from cutwatch.detection.channels import measure
from cutwatch.detection.parameters import DEFAULT, ThresholdParameters
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series
from tests.support.builders import a_series

if TYPE_CHECKING:
    from cutwatch.detectors.detector import Feature

DAY = 288
# A level of its own, without habits.
FREE = ThresholdParameters(peak_share=0, level=1)


def baseline(days: float, absent: float = 0.0) -> Baseline:
    """A history of so many days, after days without a datapoint; a day of the window follows."""
    values = [float("nan")] * round(absent * DAY) + [1.0, 2.0] * round((days + 1) * DAY / 2)
    series = a_series(values)
    history = np.arange(len(series)) < round((absent + days) * DAY)
    return Baseline(series, history, DEFAULT)


@pytest.mark.parametrize(("days", "shortage"), [(1, 10), (5, 2), (10, 1), (30, 1)])
def test_a_history_is_short_by_how_often_it_fits_into_ten_days(
    days: float, shortage: float
) -> None:
    assert baseline(days).shortage == pytest.approx(shortage)


def test_time_before_the_first_datapoint_makes_no_history_longer() -> None:
    assert baseline(5, absent=20).shortage == pytest.approx(2)


def test_a_gap_in_the_history_makes_it_no_shorter() -> None:
    whole = baseline(10)
    values = whole.series.values.copy()
    values[DAY : 5 * DAY] = np.nan

    assert Baseline(_with(whole.series, values), whole.history, DEFAULT).shortage == 1


def test_without_history_nothing_is_short() -> None:
    series = a_series([1.0] * DAY)

    assert Baseline(series, np.zeros(DAY, bool), DEFAULT).shortage == 1


def test_a_young_metric_must_deviate_further_and_change_more() -> None:
    """The same scores and values after five days, measured with and without caution."""
    values = 50 + np.random.default_rng(71).normal(0, 2, 6 * DAY)
    values[-DAY // 2 :] += 20
    series = a_series(values.tolist())
    start = int(series.epochs[5 * DAY])
    scores: dict[Feature, Floats] = {"difference": np.abs(np.diff(values, prepend=50.0))}
    rash = ThresholdParameters(caution_of_deviation=0, caution_of_change=0)

    careful, careless = (
        measure(series, start, scores, "UTC", parameters).channels for parameters in (DEFAULT, rash)
    )

    for channel, without, factor in zip(careful[:2], careless[:2], (2, 2**0.25), strict=True):
        largest = int(np.nanargmax(without.multiples))
        assert without.multiples[largest] > 1
        assert channel.multiples[largest] == pytest.approx(
            without.multiples[largest] / factor, rel=1e-6
        )


def _with(series: Series, values: Floats) -> Series:
    return Series(series.start, series.period, values)


@pytest.mark.parametrize(("days", "factor"), [(5, 2**0.04), (10, 1)])
def test_a_static_forest_of_a_young_metric_needs_a_little_more(days: int, factor: float) -> None:
    values = 50 + np.random.default_rng(72).normal(0, 2, (days + 1) * DAY)
    values[-10:] += 20
    series = a_series(values.tolist())
    start = int(series.epochs[days * DAY])
    scores: dict[Feature, Floats] = {"value": np.abs(values - 50)}

    static, learning = (
        measure(series, start, scores, "UTC", FREE, static=static).channels[-2].multiples
        for static in (True, False)
    )

    assert learning[-1] > 1
    assert static[-1] == pytest.approx(learning[-1] / factor)
