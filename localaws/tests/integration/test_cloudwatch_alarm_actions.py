"""Whom alarms tell of their changes, of which and when."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from localaws import LocalAws
from support.alarms import (
    Listener,
    described,
    expression,
    metric,
    of_detector,
    put_alarm,
    put_datum,
    put_query_alarm,
    state,
)

NOW = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
DIMENSION = of_detector("checkout")
CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}


@pytest.fixture
def name(aws: LocalAws) -> str:
    aws.clock.move_to(NOW)
    return f"metric-{uuid4()}"


@pytest.fixture
def listener(aws: LocalAws) -> Listener:
    return Listener(aws)


def everything(listener: Listener) -> dict[str, Any]:
    kinds = ("AlarmActions", "OKActions", "InsufficientDataActions")
    return {kind: [listener.topic] for kind in kinds}


def actions(aws: LocalAws, name: str) -> list[str]:
    history = aws.client("cloudwatch").describe_alarm_history(
        AlarmName=name, HistoryItemType="Action"
    )
    return [item["HistorySummary"] for item in history["AlarmHistoryItems"]]


def test_a_topic_gets_the_message_that_aws_sends(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, AlarmDescription="look", AlarmActions=[listener.topic], **DIMENSION)
    put_datum(aws, name, 2.5, **DIMENSION)
    assert state(aws, name) == "ALARM"
    (message,) = listener.messages(wait=2)
    arn = f"arn:aws:cloudwatch:us-east-1:123456789012:alarm:{name}"
    assert message.pop("StateChangeTime").startswith("2026-03-01T12:02:")
    assert message.pop("AlarmConfigurationUpdatedTimestamp").endswith("+0000")
    assert message == {
        "Subject": f'ALARM: "{name}" in US East (N. Virginia)',
        "AlarmName": name,
        "AlarmDescription": "look",
        "AWSAccountId": "123456789012",
        "NewStateValue": "ALARM",
        "NewStateReason": (
            "Threshold Crossed: 1 out of the last 1 datapoints [2.5 (01/03/26 11:58:00)] was greater "
            "than the threshold (0.0) (minimum 1 datapoint for OK -> ALARM transition)."
        ),
        "Region": "US East (N. Virginia)",
        "AlarmArn": arn,
        "OldStateValue": "OK",
        "AlarmActions": [listener.topic],
        "OKActions": [],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": name,
            "Namespace": "Shop",
            "StatisticType": "Statistic",
            "Statistic": "MAXIMUM",
            "Unit": None,
            "Dimensions": [{"value": "checkout", "name": "Detector"}],
            "Period": 300,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0.0,
            "TreatMissingData": "notBreaching",
            "EvaluateLowSampleCountPercentile": "",
        },
    }
    reason_data = json.loads(described(aws, name)["StateReasonData"])
    assert reason_data["recentDatapoints"] == [2.5]
    assert reason_data["startDate"] == "2026-03-01T11:58:00.000+0000"


def test_metric_math_triggers_with_its_metrics(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_query_alarm(
        aws, name, expression("m1 * 2"), metric("m1", name), AlarmActions=[listener.topic]
    )
    put_datum(aws, name, 1)
    assert state(aws, name) == "ALARM"
    (message,) = listener.messages(wait=2)
    watched, m1 = message["Trigger"]["Metrics"]
    assert watched == {"Id": "watched", "Expression": "m1 * 2", "ReturnData": True}
    assert m1["MetricStat"]["Metric"] == {
        "Namespace": "Shop",
        "MetricName": name,
        "Dimensions": [],
    }


def test_changes_only_are_told_and_each_to_its_own_actions(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, TreatMissingData="missing", **everything(listener))
    for value in (1, 2, 3):
        put_datum(aws, name, value)
        assert state(aws, name) == "ALARM"
        aws.clock.advance(60)
    aws.clock.advance(300)
    put_datum(aws, name, -1)
    assert state(aws, name) == "OK"
    aws.clock.advance(3600)
    assert state(aws, name) == "INSUFFICIENT_DATA"
    assert [message["NewStateValue"] for message in listener.messages(wait=1)] == [
        "ALARM",
        "OK",
        "INSUFFICIENT_DATA",
    ]


def test_an_alarm_without_actions_enabled_changes_and_tells_nobody(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, ActionsEnabled=False, **everything(listener))
    put_datum(aws, name, 1)
    assert state(aws, name) == "ALARM"
    assert listener.messages(wait=1) == []


def test_who_waits_for_an_alarm_need_not_ask_for_its_state(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, AlarmActions=[listener.topic])
    put_datum(aws, name, 1)
    assert [message["NewStateValue"] for message in listener.messages(wait=3)] == ["ALARM"]


def test_every_period_that_the_clock_jumps_over_is_seen(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, **everything(listener))
    listener.messages(wait=1)
    times = [NOW + timedelta(days=days) for days in (1, 2, 2.5)]
    aws.cloudwatch.load_series("Shop", name, {}, 60, times, [1.0, 1.0, 0.0])
    aws.clock.advance(7 * 86_400)
    assert state(aws, name) == "OK"
    told = [
        (message["NewStateValue"], message["StateChangeTime"][:16])
        for message in listener.messages(wait=1)
    ]
    assert told == [
        ("ALARM", "2026-03-02T12:03"),
        ("OK", "2026-03-02T12:18"),
        ("ALARM", "2026-03-03T12:03"),
        ("OK", "2026-03-03T12:18"),
    ]


def test_what_is_put_late_for_periods_long_over_rings_no_alarm_after_a_jump(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, AlarmActions=[listener.topic])
    aws.clock.advance(7 * 86_400)
    for hours in (1, 50, 100):
        put_datum(aws, name, 1, minutes_ago=60 * hours)
    assert state(aws, name) == "OK"
    aws.clock.advance(3_600)
    assert state(aws, name) == "OK"
    assert listener.messages(wait=1) == []


def test_a_state_that_somebody_sets_is_told_and_lasts_until_the_next_evaluation(
    aws: LocalAws, name: str, listener: Listener
) -> None:
    put_alarm(aws, name, **everything(listener))
    listener.messages(wait=1)
    aws.client("cloudwatch").set_alarm_state(
        AlarmName=name, StateValue="ALARM", StateReason="a drill"
    )
    assert state(aws, name) == "ALARM"
    (message,) = listener.messages(wait=2)
    assert (message["NewStateValue"], message["NewStateReason"]) == ("ALARM", "a drill")
    put_datum(aws, name, 0)
    assert state(aws, name) == "OK"


def test_composite_alarms_follow_and_tell(aws: LocalAws, name: str, listener: Listener) -> None:
    put_alarm(aws, name)
    aws.client("cloudwatch").put_composite_alarm(
        AlarmName=f"{name}-any", AlarmRule=f'ALARM("{name}")', AlarmActions=[listener.topic]
    )
    put_datum(aws, name, 1)
    found = aws.client("cloudwatch").describe_alarms(
        AlarmNames=[f"{name}-any"], AlarmTypes=["CompositeAlarm"]
    )
    (message,) = listener.messages(wait=2)
    assert found["CompositeAlarms"][0]["AlarmRule"] == f'ALARM("{name}")'
    assert (message["AlarmName"], message["NewStateValue"]) == (f"{name}-any", "ALARM")


@pytest.fixture
def events(aws: LocalAws) -> Iterator[Listener]:
    """What CloudWatch sends to the default bus."""
    listener, client = Listener(aws), aws.client("events")
    pattern = json.dumps({"source": ["aws.cloudwatch"]})
    client.put_rule(Name="alarms", EventPattern=pattern)
    client.put_targets(Rule="alarms", Targets=[{"Id": "queue", "Arn": listener.queue_arn}])
    yield listener
    client.remove_targets(Rule="alarms", Ids=["queue"])
    client.delete_rule(Name="alarms")


def test_changes_are_events_on_the_default_bus(aws: LocalAws, name: str, events: Listener) -> None:
    text = f'SELECT MAX("{name}") FROM SCHEMA(Shop, Detector) GROUP BY Detector ORDER BY MAX() DESC'
    put_query_alarm(aws, name, expression(text, Period=60))
    events.bodies(wait=1)
    put_datum(aws, name, 1, **DIMENSION)
    assert state(aws, name) == "ALARM"
    contributor, alarm = events.bodies(wait=2)
    assert contributor["detail-type"] == "CloudWatch Alarm Contributor State Change"
    assert contributor["detail"]["alarmContributor"]["attributes"] == {"Detector": "checkout"}
    assert "previousState" not in contributor["detail"]
    assert (alarm["detail-type"], alarm["source"]) == (
        "CloudWatch Alarm State Change",
        "aws.cloudwatch",
    )
    assert alarm["resources"] == [described(aws, name)["AlarmArn"]]
    assert alarm["detail"]["state"]["value"] == "ALARM"
    assert alarm["detail"]["previousState"]["value"] == "OK"
    assert alarm["detail"]["configuration"]["metrics"] == [
        {"id": "watched", "expression": text, "period": 60, "returnData": True}
    ]


def ring(aws: LocalAws, name: str, listener: Listener) -> list[dict[str, Any]]:
    put_alarm(aws, name, AlarmActions=[listener.topic])
    put_datum(aws, name, 1)
    assert state(aws, name) == "ALARM"
    return listener.messages(wait=1)


def test_a_topic_encrypted_with_the_key_of_aws_refuses_alarms(aws: LocalAws, name: str) -> None:
    listener = Listener(aws, KmsMasterKeyId="alias/aws/sns")
    assert ring(aws, name, listener) == []
    (action,) = actions(aws, name)
    assert "does not have authorization to access the SNS topic encryption key" in action


@pytest.mark.parametrize("admits", [True, False])
def test_a_key_of_ones_own_must_admit_cloudwatch(aws: LocalAws, name: str, *, admits: bool) -> None:
    statement = {
        "Effect": "Allow" if admits else "Deny",
        "Principal": CLOUDWATCH,
        "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    key = aws.client("kms").create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)
    listener = Listener(aws, KmsMasterKeyId=key["KeyMetadata"]["Arn"])
    assert len(ring(aws, name, listener)) == (1 if admits else 0)


@pytest.mark.parametrize(
    ("account", "told"), [("123456789012", True), ("210987654321", False)], ids=["own", "other"]
)
def test_a_topic_admits_alarms_by_its_policy(
    aws: LocalAws, name: str, account: str, *, told: bool
) -> None:
    listener = Listener(aws)
    publish = {"Action": "sns:Publish", "Resource": listener.topic}
    only_over_tls = {
        **publish,
        "Effect": "Deny",
        "Principal": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    alarms_of_an_account = {
        **publish,
        "Effect": "Allow",
        "Principal": CLOUDWATCH,
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }
    policy = {"Version": "2012-10-17", "Statement": [only_over_tls, alarms_of_an_account]}
    aws.client("sns").set_topic_attributes(
        TopicArn=listener.topic,
        AttributeName="Policy",
        AttributeValue=json.dumps(policy),
    )
    assert bool(ring(aws, name, listener)) is told
