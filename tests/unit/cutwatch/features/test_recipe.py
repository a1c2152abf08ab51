import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.features.recipe import FeatureRecipe, difference, lag_one_autocorrelation, resolution
from tests.support.builders import NOON, a_recipe, a_series

readings = st.lists(st.none() | st.floats(-1e6, 1e6), max_size=40)
sizes = st.integers(1, 12)
RANDOM = np.random.default_rng(3)
NOISE = RANDOM.normal(100, 5, 2_000).tolist()
WALK = np.cumsum(RANDOM.normal(0, 1, 2_000)).tolist()


def learn(values: list[Any], features: Any = "auto", size: int = 1) -> FeatureRecipe:
    return FeatureRecipe.fit(a_series(values), features, size, "UTC")


def test_a_row_holds_neighbours_oldest_first_and_bears_the_newests_timestamp() -> None:
    features = a_recipe(shingle_size=3).transform(a_series([1, 2, 3, 4]))

    assert features.rows.tolist() == [[1, 2, 3], [2, 3, 4]]
    assert features.epochs.tolist() == [int(NOON.timestamp()) + 300 * n for n in (2, 3)]


def test_every_datapoint_of_a_row_has_all_features_each_by_its_own_spread() -> None:
    recipe = a_recipe(features=("value", "difference"), spreads=(2.0, 0.5), shingle_size=2)

    assert recipe.transform(a_series([10, 11, 13])).rows.tolist() == [
        [5, 0, 5.5, 2],
        [5.5, 2, 6.5, 4],
    ]


def test_the_residual_is_what_is_left_of_the_usual() -> None:
    rows = a_recipe(features=("residual",)).transform(a_series([90, 100, 130])).rows
    assert rows.tolist() == [[-10], [0], [30]]


def test_no_row_spans_a_gap() -> None:
    rows = a_recipe(shingle_size=2).transform(a_series([1, 2, None, 4, 5, 6])).rows
    assert rows.tolist() == [[1, 2], [4, 5], [5, 6]]


def test_a_series_shorter_than_a_shingle_gives_no_rows() -> None:
    features = a_recipe(shingle_size=3).transform(a_series([1, 2]))
    assert (features.rows.shape, features.epochs.shape) == ((0, 3), (0,))


@given(readings, sizes)
def test_there_is_one_row_for_every_position_whose_shingle_is_complete(
    values: list[float | None], size: int
) -> None:
    features = a_recipe(shingle_size=size).transform(a_series(values))

    complete = [
        position
        for position in range(size - 1, len(values))
        if None not in values[position - size + 1 : position + 1]
    ]
    assert features.rows.tolist() == [values[p - size + 1 : p + 1] for p in complete]
    assert features.epochs.tolist() == [int(NOON.timestamp()) + 300 * p for p in complete]


@given(st.lists(st.floats(-1e6, 1e6), min_size=20, max_size=40), sizes, st.booleans())
def test_with_its_lead_in_a_window_has_a_row_for_each_of_its_datapoints(
    values: list[float],
    size: int,
    with_difference: bool,
) -> None:
    chosen = ("value", "difference") if with_difference else ("value",)
    recipe = a_recipe(features=chosen, spreads=(1.0,) * len(chosen), shingle_size=size)
    series = a_series(values)

    in_window = recipe.transform(series).epochs >= series.epochs[recipe.lead_in]

    assert in_window.sum() == len(values) - recipe.lead_in


@given(readings, st.sampled_from([("value",), ("value", "difference"), ("residual",), "auto"]))
def test_rows_of_any_history_are_finite(values: list[float | None], features: Any) -> None:
    recipe = learn(values, features)

    rows = recipe.transform(a_series(values)).rows

    assert np.isfinite(rows).all()
    assert rows.shape[1] == recipe.dimensions


@given(readings)
def test_a_recipe_does_the_same_after_it_was_stored(values: list[float | None]) -> None:
    recipe = learn(values, ("value", "difference", "residual"))

    stored = FeatureRecipe.from_payload(json.loads(json.dumps(recipe.to_payload())))

    assert stored == recipe


def test_rows_do_not_depend_on_what_comes_after_them() -> None:
    """What was scored in one window must be scored alike in the next, whose lead-in it is."""
    recipe = learn(WALK, ("value", "difference"))
    whole, part = recipe.transform(a_series(WALK)), recipe.transform(a_series(WALK[:1_000]))

    np.testing.assert_array_equal(part.rows, whole.rows[:1_000])


def test_where_one_step_explains_the_next_difference_and_residual_are_features_too() -> None:
    assert learn(WALK).features == ("value", "difference", "residual")
    assert learn(NOISE).features == ("value",)


@pytest.mark.parametrize(("values", "low", "high"), [(WALK, 0.95, 1), (NOISE, -0.1, 0.1)])
def test_smooth_metrics_explain_themselves_and_noise_does_not(
    values: list[float], low: float, high: float
) -> None:
    assert low <= lag_one_autocorrelation(a_series(values)) <= high


@pytest.mark.parametrize("values", [[], [None], [5], [5, 5, 5]])
def test_a_constant_or_empty_history_explains_nothing(values: list[Any]) -> None:
    assert lag_one_autocorrelation(a_series(values)) == 0


def test_a_level_that_moves_over_weeks_makes_noise_no_smooth_metric() -> None:
    shifted = np.array(NOISE) + 100 * (np.arange(len(NOISE)) // 1_000)
    assert lag_one_autocorrelation(a_series(shifted.tolist())) < 0.1


def test_after_a_long_silence_there_is_no_step() -> None:
    recipe = a_recipe(features=("difference",), spreads=(1.0,))
    soon, late = ([1.0, *[None] * gap, 9.0] for gap in (11, 12))

    assert recipe.transform(a_series(soon)).rows.ravel().tolist() == [0.0, 8.0]
    assert recipe.transform(a_series(late)).rows.ravel().tolist() == [0.0, 0.0]


def test_small_changes_of_large_values_survive_single_precision() -> None:
    values = [1e12, *[1e12 + step for step in range(50)]]
    rows = learn(values, ("value",)).transform(a_series(values)).rows.astype(np.float32)
    assert len(np.unique(rows)) == 50


def test_a_single_outlier_changes_little() -> None:
    with_outlier = [*WALK[:1_000], 1e6, *WALK[1_000:]]
    assert lag_one_autocorrelation(a_series(with_outlier)) > 0.95


@pytest.mark.parametrize(
    ("values", "unit"),
    [
        ([0] * 99 + [20], 1.0),
        ([5] * 100, 1),
        ([0.5] * 100, 0.005),
        ([3] * 99 + [4], 1),
        ([3] * 98 + [3.25, 9], 0.25),
        (NOISE, 0),
        ([1, 2] * 50, 0),
        ([], 0),
        ([None], 0),
    ],
)
def test_a_metric_that_hardly_ever_changes_has_a_unit_of_change(
    values: list[Any], unit: float
) -> None:
    assert resolution(a_series(values)) == pytest.approx(unit)


def test_a_difference_reaches_over_a_gap_to_the_datapoint_before_it() -> None:
    changes = difference(a_series([1, 3, None, None, 10]))

    assert changes[[0, 1, 4]].tolist() == [0, 2, 7]
    assert np.isnan(changes[[2, 3]]).all()


def test_spreads_make_features_comparable_and_are_never_zero() -> None:
    assert learn([5] * 200, ("value", "difference")).spreads == (1.0, 1.0)
    assert learn(NOISE, ("value",)).spreads[0] == pytest.approx(3.3 * 5, rel=0.05)


def test_the_residual_is_measured_by_the_spread_of_the_value() -> None:
    of_value, of_residual = learn(WALK, ("value", "residual")).spreads
    assert of_residual == of_value
