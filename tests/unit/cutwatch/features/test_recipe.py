import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.features.recipe import FeatureRecipe
from tests.support.builders import NOON, a_recipe, a_series

readings = st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=40).filter(
    lambda values: any(value is not None for value in values)
)
sizes = st.integers(1, 12)
RANDOM = np.random.default_rng(3)
NOISE = RANDOM.normal(100, 5, 2_000).tolist()
WALK = np.cumsum(RANDOM.normal(0, 1, 2_000)).tolist()


def learn(
    values: list[Any], features: Any = "auto", size: int = 1, engine: Any = "lambda"
) -> FeatureRecipe:
    return FeatureRecipe.fit(a_series(values), features, size, "UTC", engine)


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


def test_the_residual_is_what_is_left_of_the_expected() -> None:
    values = [90.0, 110.0] * 200
    rows = a_recipe(features=("residual",)).transform(a_series([*values, 400.0]), 2**40).rows
    assert rows[-1, 0] == pytest.approx(300, abs=15)


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


def between(weight: float) -> list[float]:
    walk, noise = np.array(WALK[:1_000]), np.array(NOISE[:1_000])
    within_days = np.concatenate([part - part.mean() for part in np.split(walk, 5)])
    mixed: list[float] = (weight * within_days + (1 - weight) * (noise - 100) / 5).tolist()
    return mixed


def test_features_are_chosen_by_the_autocorrelation() -> None:
    assert learn(WALK).features == ("difference", "residual")
    assert learn(NOISE).features == ("value",)


def test_between_smooth_and_noisy_both_are_watched() -> None:
    chosen = {learn(between(weight)).features for weight in np.linspace(0, 1, 41)}
    assert chosen == {
        ("value",),
        ("value", "difference", "residual"),
        ("difference", "residual"),
    }


def test_sagemakers_forest_gives_one_score_and_so_gets_one_feature() -> None:
    assert learn(WALK, engine="sagemaker").features == ("difference",)
    assert learn(NOISE, engine="sagemaker").features == ("value",)


def test_a_recipe_knows_when_its_metric_began() -> None:
    history = a_series([None, None, 3.0, 4.0]).from_first()
    recipe = FeatureRecipe.fit(history, "auto", 1, "UTC", "lambda")
    assert recipe.first == int(NOON.timestamp()) + 600


def test_scores_are_told_apart_by_feature_and_a_joint_score_counts_as_the_values() -> None:
    recipe = a_recipe(features=("value", "difference"), spreads=(1.0, 1.0))
    each, joint = np.array([[1.0, 2.0]]), np.array([[3.0]])

    assert {name: s.tolist() for name, s in recipe.by_feature(each).items()} == {
        "value": [1.0],
        "difference": [2.0],
    }
    assert recipe.by_feature(joint)["value"].tolist() == [3.0]


def test_small_changes_of_large_values_survive_single_precision() -> None:
    values = [1e12, *[1e12 + step for step in range(50)]]
    rows = learn(values, ("value",)).transform(a_series(values)).rows.astype(np.float32)
    assert len(np.unique(rows)) == 50


def test_spreads_make_features_comparable_and_are_never_zero() -> None:
    assert learn([5] * 200, ("value", "difference")).spreads == (1.0, 1.0)
    assert learn(NOISE, ("value",)).spreads[0] == pytest.approx(3.3 * 5, rel=0.05)
