"""Metric filters of CloudWatch Logs: put, tested, and publishing into CloudWatch."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)
TRANSFORMATION = {
    "metricName": "LogAnomalies",
    "metricNamespace": "Shop",
    "metricValue": "$.anomalies",
    "dimensions": {"Stream": "$.stream"},
}


@pytest.fixture
def logs(aws: LocalAws) -> Iterator[Any]:
    """A client of Logs with a group; every test has streams' names of its own, for metrics stay."""
    aws.clock.move_to(NOW)
    client = aws.client("logs")
    client.create_log_group(logGroupName="functions")
    client.create_log_stream(logGroupName="functions", logStreamName="s")
    yield client
    client.delete_log_group(logGroupName="functions")


def put_filter(logs: Any, pattern: str = '{ $.message = "scored" }', **changes: Any) -> None:
    logs.put_metric_filter(
        logGroupName="functions",
        filterName="anomalies",
        filterPattern=pattern,
        metricTransformations=[TRANSFORMATION | changes],
    )


def write(logs: Any, *messages: Any) -> None:
    milliseconds = int(NOW.timestamp() * 1_000)
    events = [{"timestamp": milliseconds, "message": json.dumps(each)} for each in messages]
    logs.put_log_events(logGroupName="functions", logStreamName="s", logEvents=events)


def total(aws: LocalAws, name: str = "LogAnomalies", **dimensions: str) -> list[float]:
    metric = {
        "Namespace": "Shop",
        "MetricName": name,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }
    query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
    answer = aws.client("cloudwatch").get_metric_data(
        MetricDataQueries=[query],
        StartTime=NOW - timedelta(minutes=5),
        EndTime=NOW + timedelta(minutes=5),
    )
    values: list[float] = answer["MetricDataResults"][0]["Values"]
    return values


def test_events_that_match_are_published_with_their_dimensions(aws: LocalAws, logs: Any) -> None:
    put_filter(logs)
    write(
        logs,
        {"message": "scored", "stream": "shop", "anomalies": 3},
        {"message": "scored", "stream": "shop", "anomalies": 4},
        {"message": "scored", "stream": "other", "anomalies": 9},
        {"message": "rejected", "stream": "shop", "anomalies": 100},
    )
    assert total(aws, Stream="shop") == [7.0]
    assert total(aws, Stream="other") == [9.0]


def test_events_before_the_filter_and_without_value_or_dimension_are_not_published(
    aws: LocalAws, logs: Any
) -> None:
    write(logs, {"message": "scored", "stream": "silent", "anomalies": 1})
    put_filter(logs)
    write(logs, {"message": "scored", "stream": "silent"}, {"message": "scored", "anomalies": 1})
    assert total(aws, Stream="silent") == []
    assert total(aws) == []


def test_a_default_value_stands_for_events_that_do_not_match(aws: LocalAws, logs: Any) -> None:
    put_filter(logs, metricName="Defaults", metricValue="1", defaultValue=0.0, dimensions={})
    write(logs, {"message": "other"})
    assert total(aws, "Defaults") == [0.0]


def test_an_alarm_rings_on_a_filters_metric(aws: LocalAws, logs: Any) -> None:
    put_filter(logs)
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="anomalies",
        Namespace="Shop",
        MetricName="LogAnomalies",
        Dimensions=[{"Name": "Stream", "Value": "ringing"}],
        Statistic="Sum",
        Period=900,
        EvaluationPeriods=1,
        Threshold=5,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    write(logs, {"message": "scored", "stream": "ringing", "anomalies": 6})
    aws.clock.move_to(NOW + timedelta(minutes=1))
    aws.cloudwatch.pass_time()
    [alarm] = cloudwatch.describe_alarms(AlarmNames=["anomalies"])["MetricAlarms"]
    assert alarm["StateValue"] == "ALARM"


def test_a_pattern_can_be_tested(logs: Any) -> None:
    answer = logs.test_metric_filter(
        filterPattern='{ $.message = "scored" && $.anomalies > 2 }',
        logEventMessages=[
            '{"message": "scored", "anomalies": 1}',
            '{"message": "scored", "anomalies": 3}',
        ],
    )
    assert answer["matches"] == [
        {
            "eventNumber": 2,
            "eventMessage": '{"message": "scored", "anomalies": 3}',
            "extractedValues": {"$.message": "scored", "$.anomalies": "3"},
        }
    ]


@pytest.mark.parametrize(
    ("pattern", "changes", "reason"),
    [
        ("{ $.a = ", {}, "no closing brace"),
        ("", {"defaultValue": 0.0}, "dimensions or a default value, not both"),
        ("", {"dimensions": dict.fromkeys("abcd", "$.a")}, "at most 3 dimensions"),
    ],
)
def test_a_filter_that_aws_refuses_is_refused(
    logs: Any, pattern: str, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ClientError, match=reason):
        put_filter(logs, pattern, **changes)


def test_an_invalid_pattern_cannot_be_tested(logs: Any) -> None:
    with pytest.raises(ClientError, match="Invalid filter pattern"):
        logs.test_metric_filter(filterPattern="{ x }", logEventMessages=["a"])
