"""The one form of a Metrics Insights query, and what it finds."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from localaws.cloudwatch import metrics_insights
from localaws.cloudwatch.metric_store import MetricKey, MetricStore, Samples
from localaws.cloudwatch.metrics_insights import Found, InsightsQuery, is_insights_query, parse
from localaws.cloudwatch.reading import Reader, Window
from localaws.cloudwatch.time_series import WrongExpression

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = int(NOW.timestamp()) - 600
QUERY = "SELECT MAX(m) FROM SCHEMA(Shop, Detector) GROUP BY Detector ORDER BY MAX() DESC"


class Fixed:
    def now(self) -> datetime:
        return NOW


@pytest.fixture
def store() -> MetricStore:
    return MetricStore()


def put(store: MetricStore, *values: float, name: str = "m", **dimensions: str) -> None:
    """A value each minute from START on."""
    times = START + 60 * np.arange(len(values))
    key = MetricKey.of("Shop", name, dimensions)
    store.add(key, Samples.of_values(times, np.array(values, np.float64)))


def found(store: MetricStore, period: int = 300) -> Found:
    window = Window(START, START + 600)
    return metrics_insights.find(parse(QUERY), period, window, Reader(store, Fixed()))


def groups(store: MetricStore, period: int = 300) -> Mapping[str, list[float]]:
    return {group.label: group.series.values.tolist() for group in found(store, period).groups}


@pytest.mark.parametrize(
    "text",
    [
        QUERY,
        'SELECT MAX("m") FROM SCHEMA("Shop", Detector) GROUP BY Detector ORDER BY MAX() DESC',
        ' select max(m)\n  from schema(Shop,"Detector") group by "Detector" order by max() desc ',
    ],
)
def test_names_may_be_quoted_and_keywords_written_in_any_case(text: str) -> None:
    assert parse(text) == InsightsQuery("Shop", "m", "Detector")


def test_a_quoted_name_holds_what_a_bare_one_cannot() -> None:
    quoted = QUERY.replace("Shop", '"Shop/dev eu"').replace("(m)", '("Orders.Total")')
    assert parse(quoted) == InsightsQuery("Shop/dev eu", "Orders.Total", "Detector")


@pytest.mark.parametrize(
    "text",
    [
        QUERY.replace("MAX(m)", "AVG(m)"),
        QUERY.replace("SCHEMA(Shop, Detector)", "Shop"),
        QUERY.replace("SCHEMA(Shop, Detector)", "SCHEMA(Shop, Detector, Region)"),
        QUERY.replace("GROUP BY", "WHERE Detector = 'a' GROUP BY"),
        QUERY.replace("GROUP BY Detector", "GROUP BY Region"),
        QUERY.replace("GROUP BY Detector", "GROUP BY detector"),
        QUERY.replace(" ORDER BY MAX() DESC", ""),
        QUERY.replace("DESC", "ASC"),
        f"{QUERY} LIMIT 5",
        QUERY.replace("(m)", "(a.b)"),
    ],
)
def test_another_form_is_refused_with_the_one_that_is_implemented(text: str) -> None:
    with pytest.raises(WrongExpression, match=r"implements SELECT MAX\(METRIC\) FROM SCHEMA") as e:
        parse(text)
    assert str(e.value).endswith(f"only, not {text}")


@pytest.mark.parametrize(
    ("expression", "is_query"),
    [
        (QUERY, True),
        ("  select MAX(m) FROM x", True),
        ("SELECT AND b", False),
        ("select + 1", False),
        ("selected", False),
        ("m1 / m2", False),
        ("", False),
    ],
)
def test_a_query_is_told_from_metric_math(expression: str, is_query: bool) -> None:
    assert is_insights_query(expression) is is_query


def test_only_metrics_with_exactly_the_schema_s_dimension_are_groups(store: MetricStore) -> None:
    put(store, 1)
    put(store, 5, 7, Detector="a")
    put(store, 9, Detector="b", Region="x")
    put(store, 9, Region="a")
    put(store, 100, name="other", Detector="a")
    assert groups(store) == {"a": [7]}
    assert groups(store, 60) == {"a": [5, 7]}


def test_the_group_with_the_largest_value_comes_first_and_equals_by_name(
    store: MetricStore,
) -> None:
    put(store, 5, 5, Detector="b")
    put(store, 1, 8, Detector="c")
    put(store, 5, Detector="a")
    assert list(groups(store)) == ["c", "a", "b"]


def test_no_more_than_500_series_are_returned_and_the_rest_is_told_to_be_missing(
    store: MetricStore,
) -> None:
    for number in range(500):
        put(store, number, Detector=f"{number:03}")
    assert found(store).partial is False
    put(store, 500, Detector="500")
    result = found(store)
    assert [len(result.groups), result.groups[0].label, result.partial] == [500, "500", True]


def test_a_period_is_a_minute_at_least(store: MetricStore) -> None:
    put(store, 1, 2, Detector="a")
    assert groups(store, 10) == {"a": [1, 2]}


def test_a_metric_without_datapoints_in_the_window_is_no_group(store: MetricStore) -> None:
    key = MetricKey.of("Shop", "m", {"Detector": "old"})
    store.add(key, Samples.of_values(np.array([START - 60]), np.array([1.0])))
    assert groups(store) == {}
