import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.aws.limits import METRIC_EXPRESSION_MAX_LENGTH
from cutwatch.detectors.metric_source import MAX_METRICS, SourceMetric, prefixed
from tests.support.builders import a_detector, a_ratio

ERRORS = SourceMetric("Shop", "Errors", "Sum")
WORDS = st.from_regex(r"[a-z][a-zA-Z0-9_]{0,5}", fullmatch=True)


def problems(**fields: Any) -> list[str]:
    with pytest.raises(ValueError) as refused:
        a_ratio(**fields)
    return str(refused.value).splitlines()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"namespace": "Shop", "metric": "Orders"},
            "expression: cannot be combined with namespace, metric; a detector has either",
        ),
        ({"expression": ""}, "expression: is missing; it combines errors, requests"),
        ({"metrics": {}}, "metrics: is missing; it defines the names in the expression"),
        (
            {"expression": "100 * errors / request + requests"},
            "expression: 'request' is not one of the metrics errors, requests; did you mean 'requests'?",
        ),
        (
            {"expression": "errors + requests + in"},
            "expression: 'in' is not one of the metrics errors, requests",
        ),
        (
            {"expression": "100 * errors"},
            "metrics: 'requests' is not used in the expression '100 * errors'",
        ),
        (
            {"expression": "errors / requests + SUM(SEARCH('x', 'Sum'))"},
            "expression: SEARCH returns several series; list each metric under metrics",
        ),
        (
            {"expression": "SUM(METRICS()) + errors + requests"},
            "expression: METRICS returns several series",
        ),
        (
            {"expression": "ANOMALY_DETECTION_BAND(errors / requests, 2)"},
            "expression: ANOMALY_DETECTION_BAND returns two series, the edges of a band",
        ),
        (
            {"expression": 'SELECT AVG(errors) FROM "AWS/EC2" -- requests'},
            "expression: SELECT returns several series",
        ),
        (
            {"expression": "errors", "metrics": {"errors": ERRORS, "Total": ERRORS}},
            "metrics: 'Total' is not used in the expression",
        ),
        (
            {"expression": "Total", "metrics": {"Total": ERRORS}},
            "metrics: 'Total' must be 1 to 64 of A-Z a-z 0-9 _, beginning with a lower-case letter",
        ),
    ],
)
def test_a_wrong_source_says_what_would_be_right(fields: dict[str, Any], expected: str) -> None:
    assert problems(**fields)[0].startswith(expected)


def test_a_detector_without_any_source_misses_the_fields_of_a_single_metric() -> None:
    assert problems(expression="", metrics={}) == [
        f"{name}: is missing" for name in ("namespace", "metric", "statistic")
    ]


def test_an_expression_takes_ten_metrics_and_no_more() -> None:
    names = [f"m{number}" for number in range(MAX_METRICS + 1)]
    a_ratio(expression="+".join(names[:-1]), metrics=dict.fromkeys(names[:-1], ERRORS))

    assert problems(expression="+".join(names), metrics=dict.fromkeys(names, ERRORS)) == [
        "metrics: has 11 metrics; at most 10 are allowed"
    ]


def test_an_expression_fits_cloudwatch_with_the_ids_that_a_call_gives_its_metrics() -> None:
    padding = "0+" * ((METRIC_EXPRESSION_MAX_LENGTH - len("d499_m")) // 2)
    a_ratio(expression=f"{padding}m", metrics={"m": ERRORS})

    [problem] = problems(expression=f"{padding}0+m", metrics={"m": ERRORS})
    assert problem.startswith("expression: has 2050 characters with a prefix")


def test_functions_numbers_and_quoted_text_need_no_metric() -> None:
    a_ratio(
        expression="IF(errors > 1e3, FILL(errors, REPEAT), 0) OR INSIGHT_RULE_METRIC('rule', \"sum\")",
        metrics={"errors": ERRORS},
    )


def test_the_statistic_of_a_metric_is_checked_as_a_detectors_is() -> None:
    with pytest.raises(ValueError, match=r"^statistic: 'Mean' is not valid; expected SampleCount"):
        SourceMetric("Shop", "Errors", "Mean")


@pytest.mark.parametrize(
    ("expression", "rewritten"),
    [
        ("m1 + m10 + m1", "d7_m1 + m10 + d7_m1"),
        ("m1m1+1e1+e1", "m1m1+1e1+d7_e1"),
        ("\"m1\"+m1+'e1'", "\"m1\"+d7_m1+'e1'"),
        ("M1+_m1+m1_", "M1+_m1+m1_"),
    ],
)
def test_only_whole_words_outside_quotes_become_ids(expression: str, rewritten: str) -> None:
    assert prefixed(expression, {"m1", "e1"}, "d7_") == rewritten


@given(st.lists(WORDS | st.sampled_from(["+", "(", ")", " ", "2.5", "SUM"])), st.sets(WORDS))
def test_taking_the_prefix_away_gives_the_expression_back(parts: list[str], ids: set[str]) -> None:
    expression = " ".join(parts)
    rewritten = prefixed(expression, ids, "d12__")

    assert rewritten.replace("d12__", "") == expression
    words = re.findall(r"\w+", rewritten)
    assert not ids & set(words)


def test_the_sources_of_a_single_metric_are_that_metric() -> None:
    assert a_detector().sources == (SourceMetric("Shop", "Orders", "Sum"),)
