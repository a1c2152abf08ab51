from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.errors import InvalidInput
from cutwatch.timeseries.series import Series
from tests.support.builders import NOON, a_series, moments

PERIOD = timedelta(minutes=5)
readings = st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False), max_size=40)


def read(datapoints: list[tuple[datetime, float]], periods: int = 4) -> list[float | None]:
    series = Series.from_datapoints(NOON, NOON + PERIOD * periods, 300, datapoints)
    return [None if np.isnan(value) else value for value in series.values.tolist()]


def test_datapoints_take_their_place_on_the_grid_and_gaps_stay_gaps() -> None:
    assert read([(NOON, 1.0), (NOON + 3 * PERIOD, 4.0)]) == [1.0, None, None, 4.0]


def test_a_datapoint_between_two_timestamps_belongs_to_the_period_that_it_fell_into() -> None:
    assert read([(NOON + timedelta(seconds=299), 1.0)]) == [1.0, None, None, None]


def test_datapoints_may_come_in_any_order() -> None:
    assert read([(NOON + PERIOD, 2.0), (NOON, 1.0)]) == [1.0, 2.0, None, None]


def test_datapoints_outside_the_window_are_left_out() -> None:
    assert read([(NOON - PERIOD, 1.0), (NOON + 4 * PERIOD, 2.0)]) == [None] * 4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_missing(value: float) -> None:
    assert read([(NOON, value)]) == [None] * 4


@pytest.mark.parametrize("shift", [timedelta(seconds=1), timedelta(minutes=4)])
def test_a_window_that_is_not_aligned_is_refused(shift: timedelta) -> None:
    with pytest.raises(InvalidInput, match="not aligned to 300 seconds"):
        Series.from_datapoints(NOON + shift, NOON + PERIOD, 300, [])


@given(readings)
def test_every_reported_datapoint_comes_back_at_its_own_timestamp(
    values: list[float | None],
) -> None:
    reported = [(m, v) for m, v in zip(moments(len(values)), values, strict=True) if v is not None]

    series = Series.from_datapoints(NOON, NOON + PERIOD * len(values), 300, reported)

    present = np.flatnonzero(~series.missing).tolist()
    assert [(series.time_at(p), series.values[p]) for p in present] == reported
    assert series.reported == len(reported)
    assert (len(series), series.end) == (len(values), NOON + PERIOD * len(values))


GAPPY = [None, 1.0, None, None, 4.0]


def test_ignored_and_anomalous_gaps_stay_gaps() -> None:
    for filled in (a_series(GAPPY).filled("ignore"), a_series(GAPPY).filled("anomalous")):
        np.testing.assert_array_equal(filled.values, a_series(GAPPY).values)


def test_zero_fills_every_gap_with_zero() -> None:
    assert a_series(GAPPY).filled("zero").values.tolist() == [0, 1, 0, 0, 4]


def test_previous_carries_the_last_value_forward_and_knows_none_before_the_first() -> None:
    filled = a_series(GAPPY).filled("previous").values

    assert np.isnan(filled[0])
    assert filled[1:].tolist() == [1, 1, 1, 4]


@given(readings, st.sampled_from(["ignore", "zero", "previous", "anomalous"]))
def test_filling_changes_no_reported_value_and_no_timestamp(
    values: list[float | None], policy: str
) -> None:
    series = a_series(values)

    filled = series.filled(policy)  # type: ignore[arg-type]

    np.testing.assert_array_equal(filled.values[~series.missing], series.values[~series.missing])
    np.testing.assert_array_equal(filled.epochs, series.epochs)


@given(readings)
def test_filling_leaves_the_original_alone(values: list[float | None]) -> None:
    series = a_series(values)
    before = series.values.copy()

    series.filled("zero")
    series.filled("previous")

    np.testing.assert_array_equal(series.values, before)
