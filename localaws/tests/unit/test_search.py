"""The one form of a SEARCH, and what it finds."""

import pytest

from localaws.cloudwatch.metric_store import MetricKey
from localaws.cloudwatch.search import Search, has_search, parse
from localaws.cloudwatch.time_series import WrongExpression

TEXT = """SEARCH('{"Shop/dev",Till} MetricName="Sales"', 'Maximum', 3600)"""
SEARCH = Search("Shop/dev", "Sales", "Till", "Maximum", 3600)
LEFT = MetricKey.of("Shop/dev", "Sales", {"Till": "left"})
RIGHT = MetricKey.of("Shop/dev", "Sales", {"Till": "right"})


def test_the_form_of_dashboards_is_parsed() -> None:
    assert parse(TEXT) == parse(f" {TEXT}\n") == SEARCH


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("SEARCH", "SUM(SEARCH") + ")",
        f"2 * {TEXT}",
        TEXT.replace(", 3600", ""),
        TEXT.replace('MetricName="Sales"', "Sales"),
        TEXT.replace('MetricName="Sales"', 'MetricName="Sales" OR MetricName="Costs"'),
        TEXT.replace("Till}", "Till,City}"),
        TEXT.replace('{"Shop/dev",Till} ', ""),
    ],
)
def test_another_form_is_refused_with_the_one_that_is_implemented(text: str) -> None:
    assert has_search(text)
    with pytest.raises(WrongExpression, match=r"implements SEARCH\('\{\"NAMESPACE\"") as refused:
        parse(text)
    assert str(refused.value).endswith(f"only, not {text}")


@pytest.mark.parametrize("expression", ["m1 + m2", "research(1)", "SEARCHED", ""])
def test_what_only_looks_like_a_search_is_none(expression: str) -> None:
    assert not has_search(expression)


def test_metrics_of_the_namespace_name_and_exact_dimension_are_found() -> None:
    others = [
        MetricKey.of("Shop", "Sales", {"Till": "left"}),
        MetricKey.of("Shop/dev", "sales", {"Till": "left"}),
        MetricKey.of("Shop/dev", "Sales", {}),
        MetricKey.of("Shop/dev", "Sales", {"City": "left"}),
        MetricKey.of("Shop/dev", "Sales", {"City": "x", "Till": "left"}),
    ]
    assert SEARCH.found([*others, LEFT, RIGHT]) == [LEFT, RIGHT]


def test_series_are_labelled_by_their_dimension() -> None:
    assert SEARCH.label(LEFT, None) == "left"
    assert SEARCH.label(RIGHT, "${PROP('Dim.Till')} sold") == "right sold"


@pytest.mark.parametrize("label", ["sold", "", "${LABEL}", "${PROP('Dim.Till')} ${LABEL}"])
def test_a_label_that_is_not_implemented_is_refused(label: str) -> None:
    with pytest.raises(WrongExpression, match="labels with"):
        SEARCH.check_label(label)
