from typing import Any

import pytest

from cutwatch.detection.deviation import Deviation, is_worth_raising, largest_deviation
from cutwatch.detectors.detector import MinimumDeviation
from tests.support.builders import NOON, a_detector, a_recipe, a_series

START = int(NOON.timestamp())
RECIPE = a_recipe()


def largest(values: list[float | None], recipe: Any = RECIPE) -> Deviation | None:
    series = a_series(values)
    return largest_deviation(series, recipe, START, int(series.epochs[-1]))


def test_the_datapoint_furthest_from_the_usual_is_told_with_the_usual_range() -> None:
    assert largest([100, 140, 95]) == Deviation(START + 300, 140, 100, 90, 110, "level")


def test_a_dip_counts_as_much_as_a_spike() -> None:
    found = largest([120, 10, 130])
    assert found is not None
    assert (found.value, found.amount) == (10, -90)


def test_only_the_event_itself_is_looked_at() -> None:
    found = largest_deviation(a_series([500, 120, 500]), RECIPE, START + 300, START + 300)
    assert found is not None
    assert found.value == 120


def test_an_event_without_a_datapoint_has_no_deviation() -> None:
    assert largest([None, None]) is None


def test_gaps_in_an_event_are_left_out() -> None:
    found = largest([None, 130, None])
    assert found is not None
    assert found.value == 130


@pytest.mark.parametrize(
    ("values", "driver"), [([100.0, 104.0], "change"), ([140.0, 140.0], "level")]
)
def test_what_stood_out_is_the_level_or_the_change(values: list[float | None], driver: str) -> None:
    recipe = a_recipe(features=("value", "difference"), spreads=(20.0, 0.5))
    found = largest(values, recipe)
    assert found is not None
    assert found.driver == driver


def deviation(value: float, expected: float = 100) -> Deviation:
    return Deviation(START, value, expected, expected - 10, expected + 10, "level")


def worth(value: float, recipe: Any = RECIPE, **fields: Any) -> bool:
    return is_worth_raising(deviation(value), a_detector(**fields), recipe)


@pytest.mark.parametrize(
    ("direction", "above", "below"),
    [("both", True, True), ("above", True, False), ("below", False, True)],
)
def test_only_the_direction_that_was_asked_for_is_raised(
    direction: str, above: object, below: object
) -> None:
    assert worth(150, direction=direction) is above
    assert worth(50, direction=direction) is below


@pytest.mark.parametrize(("value", "raised"), [(119, False), (120, True), (80, True), (81, False)])
def test_less_than_an_absolute_minimum_is_not_raised(value: float, raised: object) -> None:
    assert worth(value, minimum_deviation=MinimumDeviation(absolute=20)) is raised


@pytest.mark.parametrize(("value", "raised"), [(149, False), (150, True), (50, True), (51, False)])
def test_less_than_a_share_of_the_usual_is_not_raised(value: float, raised: object) -> None:
    assert worth(value, minimum_deviation=MinimumDeviation(relative=0.5)) is raised


def test_both_minima_must_be_reached() -> None:
    both = MinimumDeviation(absolute=60, relative=0.5)
    assert not worth(155, minimum_deviation=both)
    assert worth(160, minimum_deviation=both)


@pytest.mark.parametrize(("value", "raised"), [(101, False), (99, False), (102, True)])
def test_a_near_constant_metric_must_change_by_more_than_one_unit(
    value: float, raised: object
) -> None:
    assert worth(value, a_recipe(unit=1.0)) is raised


def test_an_absolute_minimum_takes_the_place_of_the_unit() -> None:
    own = MinimumDeviation(absolute=1)
    assert worth(101, a_recipe(unit=1.0), minimum_deviation=own)


def test_an_event_without_a_datapoint_is_always_raised() -> None:
    strict = a_detector(direction="above", minimum_deviation=MinimumDeviation(absolute=1e9))
    assert is_worth_raising(None, strict, RECIPE)
