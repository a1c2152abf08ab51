"""Alarms against the tables of AWS's "Configuring how CloudWatch alarms treat missing data"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudwatch.alarm_threshold import (
    ALARM,
    BREACHING,
    IGNORE,
    INSUFFICIENT_DATA,
    MISSING,
    NOT_BREACHING,
    OK,
    TREATMENTS,
    Rule,
    evaluate,
)

RETAIN = None
DATAPOINTS = {"0": 0.0, "X": 9.0, "-": None}


def rule(needed: int, periods: int, missing: str) -> Rule:
    return Rule("GreaterThanThreshold", 5.0, periods, needed, missing)


def state(picture: str, needed: int, periods: int, missing: str) -> str | None:
    values = [DATAPOINTS[each] for each in picture.split()]
    return evaluate(values, rule(needed, periods, missing)).state


THREE_OF_THREE = [
    ("0 - X - X", OK, OK, OK, OK),
    ("0 - - - -", OK, OK, OK, OK),
    ("- - - - -", INSUFFICIENT_DATA, RETAIN, ALARM, OK),
    ("0 X X - X", ALARM, ALARM, ALARM, ALARM),
    ("- - X - -", ALARM, RETAIN, ALARM, OK),
    # the cases in the text beside the table: the next datapoint may be a good one
    ("- - - - X", INSUFFICIENT_DATA, RETAIN, ALARM, OK),
    ("- - - X -", INSUFFICIENT_DATA, RETAIN, ALARM, OK),
    ("- - - X 0", OK, OK, OK, OK),
    ("- - X - 0", OK, OK, OK, OK),
]
TWO_OF_THREE = [
    ("0 - X - X", ALARM, ALARM, ALARM, ALARM),
    ("0 0 X 0 X", ALARM, ALARM, ALARM, ALARM),
    ("0 - X - -", OK, OK, ALARM, OK),
    ("- - - - 0", OK, OK, ALARM, OK),
    ("- - - X -", ALARM, RETAIN, ALARM, OK),
]


@pytest.mark.parametrize("row", THREE_OF_THREE, ids=lambda row: row[0])
def test_three_of_three_datapoints_are_evaluated_as_documented(
    row: tuple[str, str | None, str | None, str | None, str | None],
) -> None:
    picture, *expected = row
    assert [
        state(picture, 3, 3, missing) for missing in (MISSING, IGNORE, BREACHING, NOT_BREACHING)
    ] == expected


@pytest.mark.parametrize("row", TWO_OF_THREE, ids=lambda row: row[0])
def test_two_of_three_datapoints_are_evaluated_as_documented(
    row: tuple[str, str | None, str | None, str | None, str | None],
) -> None:
    picture, *expected = row
    assert [
        state(picture, 2, 3, missing) for missing in (MISSING, IGNORE, BREACHING, NOT_BREACHING)
    ] == expected


@pytest.mark.parametrize(
    ("comparison", "breaching"),
    [
        ("GreaterThanThreshold", [False, False, True]),
        ("GreaterThanOrEqualToThreshold", [False, True, True]),
        ("LessThanThreshold", [True, False, False]),
        ("LessThanOrEqualToThreshold", [True, True, False]),
    ],
)
def test_values_are_compared_with_the_threshold(comparison: str, breaching: list[bool]) -> None:
    compared = Rule(comparison, 5.0, 1, 1, MISSING)
    assert [compared.breaches(value) for value in (4.0, 5.0, 6.0)] == breaching


periods = st.integers(1, 6)
values = st.one_of(st.none(), st.sampled_from([0.0, 9.0]))


@st.composite
def evaluated(draw: st.DrawFn) -> tuple[list[float | None], Rule]:
    count = draw(periods)
    asked = rule(draw(st.integers(1, count)), count, draw(st.sampled_from(TREATMENTS)))
    return draw(st.lists(values, min_size=asked.range, max_size=asked.range)), asked


@given(evaluated())
def test_enough_real_datapoints_decide_alone(case: tuple[list[float | None], Rule]) -> None:
    datapoints, asked = case
    real = [value for value in datapoints if value is not None][-asked.periods :]
    if len(real) == asked.periods:
        breaches = sum(map(asked.breaches, real))
        assert evaluate(datapoints, asked).state == (ALARM if breaches >= asked.needed else OK)


@given(evaluated())
def test_enough_real_breaches_are_an_alarm_however_missing_data_are_treated(
    case: tuple[list[float | None], Rule],
) -> None:
    datapoints, asked = case
    real = [value for value in datapoints if value is not None][-asked.periods :]
    if sum(map(asked.breaches, real)) >= asked.needed:
        assert evaluate(datapoints, asked).state == ALARM


@given(evaluated())
def test_only_what_is_missing_can_leave_a_state_or_make_it_unknown(
    case: tuple[list[float | None], Rule],
) -> None:
    datapoints, asked = case
    evaluation = evaluate(datapoints, asked)
    if evaluation.state in (RETAIN, INSUFFICIENT_DATA):
        assert evaluation.filled > 0
        assert asked.missing == (IGNORE if evaluation.state is RETAIN else MISSING)


@given(evaluated())
def test_as_many_datapoints_are_evaluated_as_there_are_periods(
    case: tuple[list[float | None], Rule],
) -> None:
    datapoints, asked = case
    evaluation = evaluate(datapoints, asked)
    assert len(evaluation.evaluated) + evaluation.filled == asked.periods
    assert all(datapoints[index] is not None for index in evaluation.evaluated)
