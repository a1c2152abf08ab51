"""What Metrics Insights finds in the metrics there are."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np
import pytest

from localaws.cloudwatch import metrics_insights
from localaws.cloudwatch.insights_query import parse
from localaws.cloudwatch.metric_store import MetricKey, MetricStore, Samples
from localaws.cloudwatch.metrics_insights import Found
from localaws.cloudwatch.reading import Reader, Window

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
START = int(NOW.timestamp()) - 600


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


def found(store: MetricStore, text: str, period: int = 300) -> Found:
    window = Window(START, START + 600)
    return metrics_insights.find(parse(text), period, window, Reader(store, Fixed()))


def groups(store: MetricStore, text: str, period: int = 300) -> Mapping[str, list[float]]:
    return {
        group.label: group.series.values.tolist() for group in found(store, text, period).groups
    }


def test_all_metrics_of_a_name_are_one_series_without_group_by(store: MetricStore) -> None:
    put(store, 1, 2)
    put(store, 5, Detector="a")
    put(store, 9, Detector="b", Region="x")
    put(store, 100, name="other")
    assert groups(store, "SELECT MAX(m) FROM Shop") == {"": [9]}
    assert groups(store, "SELECT SUM(m) FROM Shop") == {"": [17]}
    assert groups(store, "SELECT COUNT(m) FROM Shop") == {"": [4]}
    assert groups(store, "SELECT AVG(m) FROM Shop") == {"": [4.25]}
    assert groups(store, "SELECT MIN(m) FROM Shop", 60) == {"": [1, 2]}


def test_a_schema_is_the_exact_set_of_dimensions(store: MetricStore) -> None:
    put(store, 1)
    put(store, 5, Detector="a")
    put(store, 9, Detector="b", Region="x")
    assert groups(store, "SELECT SUM(m) FROM SCHEMA(Shop)") == {"": [1]}
    assert groups(store, "SELECT SUM(m) FROM SCHEMA(Shop, Detector)") == {"": [5]}
    assert groups(store, "SELECT SUM(m) FROM SCHEMA(Shop, Region, Detector)") == {"": [9]}


def test_conditions_choose_by_label(store: MetricStore) -> None:
    put(store, 1)
    put(store, 5, Detector="a", Region="x")
    put(store, 9, Detector="b", Region="x")
    assert groups(store, "SELECT SUM(m) FROM Shop WHERE Region = 'x'") == {"": [14]}
    assert groups(store, "SELECT SUM(m) FROM Shop WHERE Region='x' AND Detector!='a'") == {"": [9]}
    assert groups(store, "SELECT SUM(m) FROM Shop WHERE Region = 'y'") == {}


def test_groups_come_in_the_order_of_their_labels_and_other_where_one_has_none(
    store: MetricStore,
) -> None:
    put(store, 3, Detector="b")
    put(store, 4, Detector="a", Region="x")
    put(store, 1, Detector="a")
    put(store, 2)
    by_detector = groups(store, "SELECT SUM(m) FROM Shop GROUP BY Detector")
    assert list(by_detector.items()) == [("Other", [2]), ("a", [5]), ("b", [3])]
    by_both = groups(store, "SELECT SUM(m) FROM Shop GROUP BY Detector, Region")
    assert by_both == {"Other Other": [2], "a Other": [1], "a x": [4], "b Other": [3]}


def test_the_first_groups_of_an_order_are_returned(store: MetricStore) -> None:
    put(store, 1, 8, Detector="a")
    put(store, 5, 5, Detector="b")
    put(store, 9, Detector="c")
    grouped = "SELECT SUM(m) FROM Shop GROUP BY Detector"
    assert list(groups(store, f"{grouped} ORDER BY MAX() DESC", 60)) == ["c", "a", "b"]
    assert list(groups(store, f"{grouped} ORDER BY MIN()", 60)) == ["a", "b", "c"]
    assert list(groups(store, f"{grouped} ORDER BY SUM() DESC LIMIT 1", 60)) == ["b"]


def test_no_more_than_500_series_are_returned_and_the_rest_is_told_to_be_missing(
    store: MetricStore,
) -> None:
    for number in range(501):
        put(store, number, Detector=f"{number:03}")
    query = "SELECT MAX(m) FROM Shop GROUP BY Detector ORDER BY MAX() DESC"
    result = found(store, query)
    assert [len(result.groups), result.groups[0].label, result.partial] == [500, "500", True]
    assert found(store, "SELECT MAX(m) FROM Shop").partial is False


def test_a_metric_without_datapoints_in_the_window_is_no_group(store: MetricStore) -> None:
    key = MetricKey.of("Shop", "m", {"Detector": "old"})
    store.add(key, Samples.of_values(np.array([START - 60]), np.array([1.0])))
    assert groups(store, "SELECT MAX(m) FROM Shop GROUP BY Detector") == {}
