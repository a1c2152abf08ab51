from typing import Any

import pytest

from cutwatch.detection.deviation import Deviation, is_worth_raising, largest_deviation
from cutwatch.detectors.detector import MinimumDeviation
from cutwatch.features.expectation import expect
from tests.support.builders import NOON, a_detector, a_series

START = int(NOON.timestamp())
USUAL = [95.0, 100.0, 105.0] * 200
FIRST = START + 300 * len(USUAL)


def largest(values: list[float | None], first: int = 0, last: int = 100) -> Deviation | None:
    """Of these values, after two days around 100."""
    series = a_series([*USUAL, *values])
    expectation = expect(series, FIRST, "UTC")
    return largest_deviation(series, expectation, FIRST + 300 * first, FIRST + 300 * last)


def test_the_datapoint_furthest_from_the_expected_is_told_with_the_expected_range() -> None:
    found = largest([100, 140, 95])
    assert found is not None
    assert (found.epoch, found.value) == (FIRST + 300, 140)
    assert found.expected == pytest.approx(100, abs=3)
    assert 92 <= found.low < found.expected < found.high <= 108


def test_a_dip_counts_as_much_as_a_spike() -> None:
    found = largest([120, 10, 130])
    assert found is not None
    assert found.value == 10
    assert found.amount == pytest.approx(-90, abs=5)


def test_only_the_event_itself_is_looked_at() -> None:
    found = largest([500, 120, 500], 1, 1)
    assert found is not None
    assert found.value == 120


def test_an_event_without_a_datapoint_has_no_deviation() -> None:
    assert largest([None, None]) is None


def test_gaps_in_an_event_are_left_out() -> None:
    found = largest([None, 130, None])
    assert found is not None
    assert found.value == 130


def deviation(value: float, expected: float = 100) -> Deviation:
    return Deviation(START, value, expected, expected - 10, expected + 10)


def worth(value: float, **fields: Any) -> bool:
    return is_worth_raising(deviation(value), a_detector(**fields))


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


def test_an_event_without_a_datapoint_is_always_raised() -> None:
    strict = a_detector(direction="above", minimum_deviation=MinimumDeviation(absolute=1e9))
    assert is_worth_raising(None, strict)
