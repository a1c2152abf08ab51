"""Alarms on metric math and on Metrics Insights queries."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.cloudwatch.alarm_changes import Contributor
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
from support.protocols import XML, post_json, post_query

NOW = datetime(2026, 3, 1, 12, 2, tzinfo=UTC)
GROUPED = 'SELECT MAX("{name}") FROM SCHEMA("Shop", Detector) GROUP BY Detector ORDER BY MAX() DESC'


@pytest.fixture
def name(aws: LocalAws) -> str:
    aws.clock.move_to(NOW)
    return f"metric-{uuid4()}"


def untold(aws: LocalAws, name: str, **changes: Any) -> None:
    """An alarm on executions that failed or timed out and that nobody was told of."""
    put_query_alarm(
        aws,
        name,
        expression("FILL(failed, 0) + FILL(timed_out, 0) - FILL(told, 0)", Label="untold"),
        metric("failed", f"{name}-failed"),
        metric("timed_out", f"{name}-timed-out"),
        metric("told", f"{name}-told"),
        **changes,
    )


def grouped(aws: LocalAws, name: str, **changes: Any) -> None:
    text = GROUPED.format(name=name)
    put_query_alarm(aws, name, expression(text, Period=300), **changes)


def contributors(aws: LocalAws, name: str) -> list[Contributor]:
    return aws.cloudwatch.alarms.alarms.contributors(name)


def test_an_alarm_on_metric_math_compares_the_result(aws: LocalAws, name: str) -> None:
    untold(aws, name)
    assert state(aws, name) == "OK"
    put_datum(aws, f"{name}-failed", 2)
    assert state(aws, name) == "ALARM"
    put_datum(aws, f"{name}-told", 2)
    assert state(aws, name) == "OK"
    put_datum(aws, f"{name}-timed-out", 1)
    assert state(aws, name) == "ALARM"
    aws.clock.advance(300)
    assert state(aws, name) == "OK"


def test_an_alarm_is_described_as_it_was_put(aws: LocalAws, name: str) -> None:
    untold(aws, name, DatapointsToAlarm=2, EvaluationPeriods=3, AlarmDescription="<who & when>")
    found = described(aws, name)
    assert [query["Id"] for query in found["Metrics"]] == ["watched", "failed", "timed_out", "told"]
    assert found["Metrics"][0] == expression(
        "FILL(failed, 0) + FILL(timed_out, 0) - FILL(told, 0)", Label="untold"
    )
    assert found["Metrics"][1] == metric("failed", f"{name}-failed")
    assert (found["DatapointsToAlarm"], found["EvaluationPeriods"]) == (2, 3)
    assert found["AlarmConfigurationUpdatedTimestamp"] >= NOW
    assert found["AlarmDescription"] == "<who & when>"
    assert not {"MetricName", "Namespace", "Period", "Statistic"} & found.keys()


def test_older_protocols_describe_it_too(aws: LocalAws, name: str) -> None:
    grouped(aws, name, AlarmDescription="<who & when>")
    put_datum(aws, name, 1, **of_detector("checkout"))
    asked = {"AlarmNames": [name]}
    (as_json,) = post_json(aws, "DescribeAlarms", asked)["MetricAlarms"]
    assert as_json["Metrics"][0]["Period"] == 300
    answer = post_query(aws, Action="DescribeAlarms", **{"AlarmNames.member.1": name})
    assert answer.findtext(f".//{XML}AlarmDescription") == "<who & when>"
    assert (
        answer.findtext(f".//{XML}Metrics/{XML}member/{XML}Expression")
        == (as_json["Metrics"][0]["Expression"])
    )
    assert answer.findtext(f".//{XML}StateValue") == as_json["StateValue"] == "ALARM"


def test_the_query_protocol_puts_alarms(aws: LocalAws, name: str) -> None:
    post_query(
        aws,
        **{
            "Action": "PutMetricAlarm",
            "AlarmName": name,
            "EvaluationPeriods": "1",
            "Threshold": "0.5",
            "ComparisonOperator": "GreaterThanThreshold",
            "ActionsEnabled": "false",
            "Metrics.member.1.Id": "watched",
            "Metrics.member.1.Expression": "FILL(m, 0)",
            "Metrics.member.2.Id": "m",
            "Metrics.member.2.ReturnData": "false",
            "Metrics.member.2.MetricStat.Metric.Namespace": "Shop",
            "Metrics.member.2.MetricStat.Metric.MetricName": name,
            "Metrics.member.2.MetricStat.Period": "60",
            "Metrics.member.2.MetricStat.Stat": "Sum",
        },
    )
    found = described(aws, name)
    assert (found["StateValue"], found["Threshold"], found["ActionsEnabled"]) == ("OK", 0.5, False)


def test_alarms_are_listed_in_pages_by_name_prefix_and_state(aws: LocalAws, name: str) -> None:
    for number in range(3):
        put_alarm(aws, f"{name}-{number}")
    client = aws.client("cloudwatch")
    pages = client.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=name, PaginationConfig={"PageSize": 2}
    )
    listed = [[alarm["AlarmName"] for alarm in page["MetricAlarms"]] for page in pages]
    assert listed == [[f"{name}-0", f"{name}-1"], [f"{name}-2"]]
    assert client.describe_alarms(AlarmNamePrefix=name, StateValue="ALARM")["MetricAlarms"] == []
    found = client.describe_alarms_for_metric(Namespace="Shop", MetricName=f"{name}-1")
    assert [alarm["AlarmName"] for alarm in found["MetricAlarms"]] == [f"{name}-1"]


def test_an_update_keeps_the_state_and_overwrites_the_rest(aws: LocalAws, name: str) -> None:
    put_alarm(aws, name, AlarmDescription="first")
    put_datum(aws, name, 1)
    before = described(aws, name)
    aws.clock.advance(60)
    put_alarm(aws, name)
    after = described(aws, name)
    assert (before["StateValue"], after["StateValue"]) == ("ALARM", "ALARM")
    assert after["StateUpdatedTimestamp"] == before["StateUpdatedTimestamp"]
    assert "AlarmDescription" not in after


def test_any_time_series_that_breaches_is_an_alarm_and_a_contributor(
    aws: LocalAws, name: str
) -> None:
    grouped(aws, name)
    assert state(aws, name) == "OK"
    put_datum(aws, name, 0, **of_detector("quiet"))
    put_datum(aws, name, 3, **of_detector("loud"))
    put_datum(aws, name, 9)  # has no dimension, so it is none of them
    found = described(aws, name)
    assert found["StateValue"] == "ALARM"
    assert found["StateReason"] == "1 out of 2 time series evaluated to ALARM"
    (loud,) = contributors(aws, name)
    assert loud.attributes == {"Detector": "loud"}
    assert loud.reason == (
        "Threshold Crossed: 1 datapoint was greater than the threshold (0.0). The most recent "
        "datapoint which crossed the threshold: [3.0 (01/03/26 11:58:00)]."
    )
    assert len(loud.id) == 16


def test_each_contributor_that_changes_is_told_once_beside_the_alarm(
    aws: LocalAws, name: str
) -> None:
    listener = Listener(aws)
    grouped(aws, name, AlarmActions=[listener.topic], OKActions=[listener.topic])
    listener.messages()
    put_datum(aws, name, 1, **of_detector("a"))
    assert state(aws, name) == "ALARM"
    put_datum(aws, name, 1, **of_detector("b"))
    put_datum(aws, name, 2, **of_detector("a"))
    assert state(aws, name) == "ALARM"
    told = [
        (message["NewStateValue"], message.get("AlarmContributorAttributes", {}).get("Detector"))
        for message in listener.messages(wait=1)
    ]
    assert told == [("ALARM", "a"), ("ALARM", None), ("ALARM", "b")]
    aws.clock.advance(3600)
    assert state(aws, name) == "OK"
    assert contributors(aws, name) == []
    ended = listener.messages(wait=1)
    assert [message["NewStateValue"] for message in ended] == ["OK"] * 3
    by_contributor = [message for message in ended if "AlarmContributorId" in message]
    assert {message["NewStateReason"] for message in by_contributor} == {
        "No data was returned for this contributor"
    }


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("missing", "INSUFFICIENT_DATA"), ("breaching", "ALARM"), ("notBreaching", "OK")],
)
def test_a_query_without_time_series_is_what_missing_data_are(
    aws: LocalAws, name: str, missing: str, expected: str
) -> None:
    grouped(aws, name, TreatMissingData=missing)
    found = described(aws, name)
    assert found["StateValue"] == expected
    assert "No time series were returned by the query" in found["StateReason"]


def test_metric_math_over_the_series_of_a_query_is_refused(aws: LocalAws, name: str) -> None:
    grouped_by = {"Id": "groups", "Expression": GROUPED.format(name=name), "Period": 300}
    with pytest.raises(ClientError, match=r"metric math over several series .groups."):
        put_query_alarm(aws, name, expression("SUM(groups)"), {**grouped_by, "ReturnData": False})


def test_get_metric_data_answers_a_metrics_insights_query_group_by_group(
    aws: LocalAws, name: str
) -> None:
    for detector, value in (("a", 1), ("b", 5)):
        put_datum(aws, name, value, **of_detector(detector))
    text = GROUPED.format(name=name)
    asked = {
        "MetricDataQueries": [{"Id": "q", "Expression": text, "Period": 300}],
        "StartTime": datetime(2026, 3, 1, 11, 0, tzinfo=UTC),
        "EndTime": datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
    }
    results = aws.client("cloudwatch").get_metric_data(**asked)["MetricDataResults"]
    assert [(each["Id"], each["Label"], each["Values"]) for each in results] == [
        ("q", "b", [5.0]),
        ("q", "a", [1.0]),
    ]


def test_a_request_has_one_metrics_insights_query_at_most(aws: LocalAws, name: str) -> None:
    queries = [
        {"Id": each, "Expression": GROUPED.format(name=name), "Period": 60} for each in ("p", "q")
    ]
    with pytest.raises(ClientError, match="one Metrics Insights query only, not both p and q"):
        aws.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries, StartTime=datetime(2026, 3, 1, tzinfo=UTC), EndTime=NOW
        )
