"""Metric math against the examples and rules of AWS's "Using metric math"."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.cloudwatch.metric_math import evaluate
from localaws.cloudwatch.reading import Window
from localaws.cloudwatch.time_series import TimeSeries, WrongExpression

PERIOD = 300
Values = Sequence[float | None]


class Metrics:
    """Queries of metrics that have a value, or none, in each period from time 0 on; `total` is an expression."""

    def __init__(self, length: int, **metrics: Values) -> None:
        self.window = Window(0, PERIOD * length)
        self.metrics = metrics

    def value(self, query: str) -> TimeSeries | None:
        return series(self.metrics[query]) if query in self.metrics else None

    def is_metric(self, query: str) -> bool:
        return query in self.metrics and query != "total"


def series(values: Values) -> TimeSeries:
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    return TimeSeries.finite(PERIOD * np.arange(len(values)), numbers, PERIOD)


def result(expression: str, **metrics: Values) -> list[float | None]:
    """One value, or None, a period."""
    length = max(map(len, metrics.values()))
    found = evaluate(expression, Metrics(length, **metrics))
    assert found.period == PERIOD
    values: dict[int, float] = dict(zip(found.times.tolist(), found.values.tolist(), strict=True))
    return [values.get(PERIOD * position) for position in range(length)]


M: dict[str, Values] = {"m": [1.0, None, 3.0, 4.0], "n": [10.0, 20.0, None, 0.0]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m", [1, None, 3, 4]),
        ("5 * m", [5, None, 15, 20]),
        ("RUNNING_SUM(m)", [1, None, 4, 8]),
        ("RUNNING_SUM(FILL(m, 0))", [1, 1, 4, 8]),
        ("m + n", [11, 20, 3, 4]),
        ("m - n", [-9, -20, 3, 4]),
        ("m * n", [10, 0, 0, 0]),
        ("m / n", [0.1, 0, None, None]),
        ("1 / (m - 1)", [None, None, 0.5, 1 / 3]),
        ("m ^ 2", [1, None, 9, 16]),
        ("-m ^ 2", [-1, None, -9, -16]),
        ("2 ^ -m", [0.5, None, 0.125, 0.0625]),
        ("2 ^ 3 ^ 2 * m", [512, None, 1536, 2048]),
        ("(2 ^ 3) ^ 2 * m", [64, None, 192, 256]),
        ("10 - 2 - m", [7, None, 5, 4]),
        ("m * 1e1 + .5", [10.5, None, 30.5, 40.5]),
        ("m + 2 * 3\n", [7, None, 9, 10]),
        ("m / (1 - 1)", [None] * 4),
    ],
)
def test_arithmetic_counts_what_is_missing_as_0_and_drops_divisions_by_zero(
    expression: str, expected: Values
) -> None:
    assert result(expression, **M) == pytest.approx(expected)


DOCUMENTED: dict[str, Values] = {
    "metric1": [30.0, 20.0, 0.0, 0.0],
    "metric2": [20.0, None, 20.0, None],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("(metric1 < metric2)", [0, 0, 1, 0]),
        ("(metric1 >= 30)", [1, 0, 0, 0]),
        ("(metric1 > 15 AND metric2 > 15)", [1, 0, 0, 0]),
        ("metric1 > 15 && metric2 > 15", [1, 0, 0, 0]),
        ("metric1 > 15 || metric2 > 15", [1, 1, 1, 0]),
        ("metric1 == 20 OR metric2 == 20", [1, 1, 1, 0]),
        ("metric2 != 20", [0, None, 0, None]),
        ("metric1 * (2 > 1)", [30, 20, 0, 0]),
        ("metric1 + 10 <= 30", [0, 1, 1, 1]),
    ],
)
def test_comparisons_and_logic_give_0_and_1(expression: str, expected: Values) -> None:
    assert result(expression, **DOCUMENTED) == expected


IFS: dict[str, Values] = {
    "metric1": [1.0, 1.0, 0.0, 0.0, None],
    "metric2": [30.0, None, 0.0, 0.0, 30.0],
    "metric3": [0.0, 0.0, 20.0, None, 20.0],
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, None, None]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, None, None]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, None]),
        ("IF(metric1, metric2)", [30, 0, None, None, None]),
        ("IF(metric1 == 0, 1, 2)", [2, 2, 1, 1, None]),
        ("IF(1, metric2, metric3)", [30, None, 0, 0, 30]),
        ("IF(0, metric2, metric3)", [0, 0, 20, None, 20]),
        ("IF(0, metric2)", [None] * 5),
        ("IF(metric2 < 10, metric2)", [None, None, 0, 0, None]),
    ],
)
def test_if_chooses_datapoint_by_datapoint(expression: str, expected: Values) -> None:
    assert result(expression, **IFS) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("ABS(-m)", [1, None, 3, 4]),
        ("CEIL(m / 2)", [1, None, 2, 2]),
        ("FLOOR(m / 2)", [0, None, 1, 2]),
        ("LOG10(10 ^ m)", [1, None, 3, 4]),
        ("LOG(m - 1)", [None, None, math.log(2), math.log(3)]),
        ("m - AVG(m)", [-5 / 3, None, 1 / 3, 4 / 3]),
        ("m / SUM(m)", [1 / 8, None, 3 / 8, 4 / 8]),
        ("MAX(m) - MIN(m) + m", [4, None, 6, 7]),
        ("m * 0 + STDDEV(n)", [8.16496581, None, 8.16496581, 8.16496581]),
        ("SUM([m, n])", [11, 20, 3, 4]),
        ("AVG([m, n])", [5.5, 10, 1.5, 2]),
        ("MIN([m, n])", [1, 20, 3, 0]),
        ("MAX([m, n])", [10, 20, 3, 4]),
        ("STDDEV([m, n])", [4.5, 0, 0, 2]),
        ("SUM(-[m, n])", [-11, -20, -3, -4]),
        ("SUM(100 / [m, n])", [110, 5, 100 / 3, 25]),
        ("AVG([m, n] * m)", [5.5, 0, 4.5, 8]),
        ("MIN(ABS([m, n]))", [1, 20, 3, 0]),
        ("DIFF(m)", [None, None, 2, 1]),
        ("RATE(m) * 300", [None, None, 1, 1]),
        ("m / PERIOD(m)", [1 / 300, None, 3 / 300, 4 / 300]),
        ("FILL(m, 7)", [1, 7, 3, 4]),
        ("FILL(m, n)", [1, 20, 3, 4]),
        ("FILL(m, REPEAT)", [1, 1, 3, 4]),
        ("FILL(m, LINEAR)", [1, 2, 3, 4]),
        ("FILL(m, MIN(m))", [1, 1, 3, 4]),
        ("SUM(FILL([m, n], 0))", [11, 20, 3, 4]),
    ],
)
def test_functions_are_those_of_the_documentation(expression: str, expected: Values) -> None:
    assert result(expression, **M) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("FILL(m, 0)", [0, 0, 5, 0]),
        ("FILL(m, REPEAT)", [None, None, 5, 5]),
        ("FILL(m, LINEAR)", [None, None, 5, None]),
    ],
)
def test_filling_reaches_to_the_ends_of_the_window_as_far_as_it_knows_a_value(
    expression: str, expected: Values
) -> None:
    assert result(expression, m=[None, None, 5.0, None]) == expected


@pytest.mark.parametrize(
    "expression", ["m + 1", "m - AVG(m)", "DIFF(m)", "FILL(m, REPEAT)", "SUM([m, m])", "m / m"]
)
def test_a_series_without_datapoints_has_none_afterwards(expression: str) -> None:
    assert result(expression, m=[None, None]) == [None, None]


def test_an_id_may_be_a_word_of_pythons() -> None:
    assert result("in / not + is", **{"in": [1.0], "not": [2.0], "is": [3.0]}) == [3.5]


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "Invalid syntax"),
        ("m +", "Invalid syntax"),
        ("m n", "Invalid syntax"),
        ("m)+(n", "Invalid syntax"),
        ("m ** 2", "Invalid syntax"),
        ("m // 2", "Invalid syntax"),
        ("+m", "Invalid syntax"),
        ("m < n < 3", "Invalid syntax"),
        ("(m, n)", "Invalid syntax"),
        ("m[0]", "Invalid syntax"),
        ("m.real", "Invalid syntax at position 1"),
        ("m if n else m", "Invalid syntax"),
        ("lambda: m", "Invalid syntax at position 6"),
        ("m # n", "Invalid syntax at position 2"),
        ("__import__", "Invalid syntax at position 0"),
        ("'m'", "Invalid syntax at position 0"),
        ("m(n)", "Unknown or unsupported function m"),
        ("(m)(n)", "Unknown or unsupported function m"),
        ("sum(m) + m", "Unknown or unsupported function sum"),
        ("not m", "Invalid syntax"),
        ("m and n", "Invalid syntax"),
        ("x + m", "Unknown identifier x"),
        ("m + REPEAT", "Unknown identifier REPEAT"),
        ("AVG(m)", "must be a time series, not a scalar"),
        ("5", "must be a time series, not a scalar"),
        ("[m, n]", "does not implement several series as a result"),
        ("[m, n] + [m, n]", "two arrays of time series"),
        ("SUM([m, 1])", "An array holds time series"),
        ("SUM([])", "takes a time series"),
        ("ABS(5) * m", "Function ABS takes a time series"),
        ("ABS(m, n)", "Function ABS does not take 2 arguments"),
        ("IF(m)", "Function IF does not take 1 arguments"),
        ("IF(1, 2, m)", "Unsupported argument types for function IF"),
        ("IF(m, [m], n)", "Unsupported argument types for function IF"),
        ("FILL(5, m)", "Unsupported argument types for function FILL"),
        ("PERIOD(m + n) * m", "PERIOD takes a metric"),
        ("PERIOD(total) * m", "PERIOD takes a metric"),
        ("m * 1e999", "1e999 is too large"),
        ("SUM(SEARCH('{x} y', 'Sum'))", "does not implement SEARCH"),
        ("SEARCH", "does not implement SEARCH"),
        ("ABS('m')", "Invalid syntax at position 4"),
        ('SUM(METRICS("m"))', "does not implement METRICS"),
        ('SELECT AVG(m) FROM "x"', "does not implement SELECT"),
        ("(" * 500 + "m" + ")" * 500, "Invalid syntax"),
        ("-" * 2_000 + "m", "Invalid syntax"),
    ],
)
def test_what_metric_math_does_not_have_is_refused(expression: str, complaint: str) -> None:
    with pytest.raises(WrongExpression, match=complaint):
        evaluate(expression, Metrics(2, m=[1.0], n=[2.0], total=[3.0]))


numbers = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
aligned = st.lists(numbers | st.none(), min_size=1, max_size=8)
pieces = st.sampled_from(
    [
        "m",
        "n",
        "x",
        "SUM",
        "IF",
        "FILL",
        "(",
        ")",
        "[",
        "]",
        ",",
        "+",
        "-",
        "^",
        "/",
        "<",
        "AND",
        "2",
        " ",
        "'",
        "é",
    ]
)


@given(st.text(max_size=30) | st.lists(pieces, max_size=20).map("".join))
def test_any_text_is_evaluated_or_refused(expression: str) -> None:
    try:
        found = evaluate(expression, Metrics(2, m=[1.0, 2.0], n=[None, 0.0]))
    except WrongExpression:
        return
    assert np.isfinite(found.values).all()


@given(aligned, aligned)
def test_sums_of_series_have_the_datapoints_of_both(left: Values, right: Values) -> None:
    metrics: Mapping[str, Values] = {"m": left, "n": right}
    expected = [
        None if a is None and b is None else (a or 0) + (b or 0)
        for a, b in zip(_padded(left, right), _padded(right, left), strict=True)
    ]
    assert result("m + n", **metrics) == result("SUM([m, n])", **metrics) == expected
    assert result("m - -n", **metrics) == result("n + m", **metrics) == expected


@given(aligned, numbers)
def test_filling_with_a_number_leaves_no_gap_and_changes_no_datapoint(
    values: Values, number: float
) -> None:
    expected = [number if value is None else value for value in values]
    assert result(f"FILL(m, 0 - ({-number:f}))", m=values) == pytest.approx(expected, abs=1e-6)


@given(aligned)
def test_differences_add_up_to_the_way_from_first_to_last(values: Values) -> None:
    reported = [value for value in values if value is not None]
    differences = [value for value in result("DIFF(m)", m=values) if value is not None]
    assert len(differences) == max(len(reported) - 1, 0)
    if reported:
        assert sum(differences) == pytest.approx(reported[-1] - reported[0], abs=1e-6)


def _padded(values: Values, other: Values) -> list[float | None]:
    return [*values, *[None] * (len(other) - len(values))]
