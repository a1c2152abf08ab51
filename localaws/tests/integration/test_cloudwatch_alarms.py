"""Alarms on our metrics."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from localaws import LocalAws

NOW = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)


@pytest.fixture
def name(aws: LocalAws) -> str:
    aws.clock.move_to(NOW)
    return f"metric-{uuid4()}"


def alarm(aws: LocalAws, name: str, **changes: Any) -> None:
    settings: dict[str, Any] = {
        "AlarmName": name,
        "Namespace": "Shop",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    aws.client("cloudwatch").put_metric_alarm(**{**settings, **changes})


def state(aws: LocalAws, name: str) -> str:
    (found,) = aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(found["StateValue"])


def put(aws: LocalAws, name: str, value: float, minutes_ago: float = 0, **datum: Any) -> None:
    timestamp = aws.clock.now() - timedelta(minutes=minutes_ago)
    aws.client("cloudwatch").put_metric_data(
        Namespace="Shop",
        MetricData=[{"MetricName": name, "Timestamp": timestamp, "Value": value, **datum}],
    )


def test_an_alarm_over_days_sees_a_back_filled_datapoint_when_it_becomes_readable(
    aws: LocalAws, name: str
) -> None:
    alarm(aws, name, Period=3600, EvaluationPeriods=100, DatapointsToAlarm=1)
    put(aws, name, 1, minutes_ago=48 * 60)
    for hours, seen in ((0, "OK"), (47, "OK"), (49, "ALARM"), (60, "OK")):
        aws.clock.move_to(NOW + timedelta(hours=hours))
        assert state(aws, name) == seen, hours


def test_an_alarm_rings_now_and_is_quiet_again_later(aws: LocalAws, name: str) -> None:
    alarm(aws, name)
    assert state(aws, name) == "OK"
    put(aws, name, 1)
    assert state(aws, name) == "ALARM"
    aws.clock.advance(2 * 300)
    assert state(aws, name) == "ALARM"  # the latest datapoint of the evaluation range
    aws.clock.advance(300)
    assert state(aws, name) == "OK"


def test_what_is_back_filled_rings_no_alarm(aws: LocalAws, name: str) -> None:
    alarm(aws, name)
    put(aws, name, 1, minutes_ago=60)
    assert state(aws, name) == "OK"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")],
)
def test_missing_data_is_what_the_alarm_says_it_is(
    aws: LocalAws, name: str, missing: str, expected: str
) -> None:
    alarm(aws, name, TreatMissingData=missing)
    assert state(aws, name) == expected


def test_missing_data_that_is_ignored_leaves_the_state(aws: LocalAws, name: str) -> None:
    alarm(aws, name, TreatMissingData="ignore")
    put(aws, name, 1)
    aws.clock.advance(600)
    assert state(aws, name) == "ALARM"


def test_m_out_of_n_periods_must_breach(aws: LocalAws, name: str) -> None:
    alarm(aws, name, EvaluationPeriods=3, DatapointsToAlarm=2)
    put(aws, name, 1)
    assert state(aws, name) == "OK"
    put(aws, name, 1, minutes_ago=10)
    assert state(aws, name) == "ALARM"


def test_an_alarm_looks_at_its_own_dimensions_only(aws: LocalAws, name: str) -> None:
    dimensions = [{"Name": "Detector", "Value": "checkout"}]
    alarm(aws, name, Dimensions=dimensions)
    put(aws, name, 1)
    assert state(aws, name) == "OK"
    put(aws, name, 1, Dimensions=dimensions)
    assert state(aws, name) == "ALARM"


def test_an_alarm_tells_its_topic(aws: LocalAws, name: str) -> None:
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    queue = sqs.create_queue(QueueName="alarms")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])
    alarm(aws, name, AlarmActions=[topic])
    put(aws, name, 1)
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    notification = json.loads(json.loads(message["Body"])["Message"])
    assert (notification["AlarmName"], notification["NewStateValue"]) == (name, "ALARM")
