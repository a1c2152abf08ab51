"""SEARCH in GetMetricData and in alarms."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.limits import SEARCH_MAX_SERIES

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def namespace(aws: LocalAws) -> str:
    """One that no other test has."""
    aws.clock.move_to(NOW)
    return f"Shop-{uuid4()}"


def load(aws: LocalAws, namespace: str, till: str, start: datetime, values: list[float]) -> None:
    times = start.timestamp() + 300 * np.arange(len(values))
    aws.cloudwatch.load_series(namespace, "Sales", {"Till": till}, 300, times, np.array(values))


def search(namespace: str) -> str:
    return f"SEARCH('{{\"{namespace}\",Till}} MetricName=\"Sales\"', 'Maximum', 300)"


def read(aws: LocalAws, *queries: dict[str, Any], **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=queries,
        StartTime=NOW - HOUR,
        EndTime=NOW,
        ScanBy="TimestampAscending",
        **options,
    )
    return answer


def test_each_series_that_is_found_is_a_result_with_the_query_s_id_and_its_own_label(
    aws: LocalAws, namespace: str
) -> None:
    load(aws, namespace, "left", NOW - HOUR, [1, 2])
    load(aws, namespace, "right", NOW - HOUR, [3])
    found = read(aws, {"Id": "e", "Expression": search(namespace)})["MetricDataResults"]
    assert [(each["Id"], each["Label"], each["Values"]) for each in found] == [
        ("e", "left", [1, 2]),
        ("e", "right", [3]),
    ]


def test_a_label_says_of_each_series_which_it_is(aws: LocalAws, namespace: str) -> None:
    load(aws, namespace, "left", NOW - HOUR, [1])
    load(aws, namespace, "right", NOW - HOUR, [3])
    query = {"Id": "e", "Expression": search(namespace), "Label": "${PROP('Dim.Till')}!"}
    found = read(aws, query)["MetricDataResults"]
    assert [(each["Label"], each["Values"]) for each in found] == [("left!", [1]), ("right!", [3])]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"Label": "Tills"}, "labels with .* only, not Tills"),
        ({"Expression": "SUM(e2)"}, "metric math over several series .e2."),
    ],
)
def test_what_is_not_implemented_of_a_search_is_refused(
    aws: LocalAws, namespace: str, changes: dict[str, str], complaint: str
) -> None:
    other = {"Id": "e2", "Expression": search(namespace), "ReturnData": False}
    with pytest.raises(ClientError, match=complaint):
        read(aws, {"Id": "e", "Expression": search(namespace), **changes}, other)


def test_nothing_found_is_no_result(aws: LocalAws, namespace: str) -> None:
    assert read(aws, {"Id": "e", "Expression": search(namespace)})["MetricDataResults"] == []


def test_what_was_not_reported_for_two_weeks_is_not_found(aws: LocalAws, namespace: str) -> None:
    load(aws, namespace, "old", NOW - timedelta(days=15), [1])
    load(aws, namespace, "new", NOW - timedelta(days=13), [1])
    found = read(aws, {"Id": "e", "Expression": search(namespace)})["MetricDataResults"]
    assert len(found) == 1


def test_more_series_than_cloudwatch_returns_are_cut_off_with_a_message(
    aws: LocalAws, namespace: str
) -> None:
    for number in range(SEARCH_MAX_SERIES + 1):
        load(aws, namespace, f"till-{number}", NOW - HOUR, [1])
    answer = read(aws, {"Id": "e", "Expression": search(namespace)})
    assert len(answer["MetricDataResults"]) == SEARCH_MAX_SERIES
    assert [each["Code"] for each in answer["Messages"]] == ["MaxMetricsExceeded"]


def test_an_alarm_on_a_search_is_refused(aws: LocalAws, namespace: str) -> None:
    with pytest.raises(ClientError, match="SEARCH is not supported in alarms"):
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName=namespace,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
            Metrics=[{"Id": "e", "Expression": f"SUM({search(namespace)})", "ReturnData": True}],
        )
