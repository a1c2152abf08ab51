"""The protocols that clients of CloudWatch speak: boto3's CBOR, JSON, and the query protocol of older CLIs."""

import json
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import cbor2
import pytest

from localaws import LocalAws
from support.protocols import XML, post, post_cbor, post_json, post_query

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(aws: LocalAws) -> None:
    aws.clock.move_to(NOW)


def test_the_query_protocol_puts_and_gets(aws: LocalAws) -> None:
    member = "MetricData.member.1"
    post_query(
        aws,
        **{
            "Action": "PutMetricData",
            "Namespace": "Query",
            f"{member}.MetricName": "m",
            f"{member}.Timestamp": "2026-03-01T11:00:00Z",
            f"{member}.Values.member.1": "1.5",
            f"{member}.Values.member.2": "2.5",
            f"{member}.Dimensions.member.1.Name": "d",
            f"{member}.Dimensions.member.1.Value": "v",
        },
    )
    stat = "MetricDataQueries.member.1.MetricStat"
    answer = post_query(
        aws,
        **{
            "Action": "GetMetricData",
            "StartTime": "2026-03-01T11:00:00Z",
            "EndTime": "2026-03-01T12:00:00Z",
            "MetricDataQueries.member.1.Id": "q",
            f"{stat}.Metric.Namespace": "Query",
            f"{stat}.Metric.MetricName": "m",
            f"{stat}.Metric.Dimensions.member.1.Name": "d",
            f"{stat}.Metric.Dimensions.member.1.Value": "v",
            f"{stat}.Period": "300",
            f"{stat}.Stat": "Sum",
        },
    )
    (value,) = answer.iter(f"{XML}Values")
    (timestamp,) = answer.iter(f"{XML}Timestamps")
    assert [member.text for member in value] == ["4.0"]
    assert [member.text for member in timestamp] == ["2026-03-01T11:00:00Z"]
    assert aws.calls[-1].parameters["MetricDataQueries"][0]["MetricStat"]["Period"] == 300


def test_a_query_error_is_xml(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post_query(aws, Action="PutMetricData", Namespace="AWS/EC2")
    error = ET.fromstring(caught.value.read())
    assert error.findtext("Error/Code") == "InvalidParameterValue"
    assert error.findtext("Error/Type") == "Sender"


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "gzip"}])
def test_json_puts_and_gets(aws: LocalAws, headers: dict[str, str]) -> None:
    metric = {"Namespace": "Json", "MetricName": f"m{len(headers)}"}
    datum = {
        "MetricName": metric["MetricName"],
        "Timestamp": NOW.timestamp() - 3600,
        "Value": 1.5,
    }
    post_json(aws, "PutMetricData", {"Namespace": "Json", "MetricData": [datum]}, **headers)
    stat = {"Metric": metric, "Period": 300, "Stat": "Sum"}
    answer = post_json(
        aws,
        "GetMetricData",
        {
            "MetricDataQueries": [{"Id": "q", "MetricStat": stat}],
            "StartTime": NOW.timestamp() - 3600,
            "EndTime": NOW.timestamp(),
        },
    )
    (result,) = answer["MetricDataResults"]
    assert result["Values"] == [1.5]
    assert result["Timestamps"] == [NOW.timestamp() - 3600]


def test_cbor_puts_and_gets(aws: LocalAws) -> None:
    metric = {"Namespace": "Cbor", "MetricName": "m"}
    datum = {"MetricName": "m", "Timestamp": NOW - timedelta(hours=1), "Value": 1.5}
    post_cbor(aws, "PutMetricData", {"Namespace": "Cbor", "MetricData": [datum]})
    stat = {"Metric": metric, "Period": 300, "Stat": "Sum"}
    answer = post_cbor(
        aws,
        "GetMetricData",
        {
            "MetricDataQueries": [{"Id": "q", "MetricStat": stat}],
            "StartTime": NOW - timedelta(hours=1),
            "EndTime": NOW,
        },
    )
    (result,) = answer["MetricDataResults"]
    assert result["Values"] == [1.5]
    assert result["Timestamps"] == [NOW - timedelta(hours=1)]


def test_a_cbor_error_names_its_code_as_the_query_protocol_does(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post_cbor(aws, "PutMetricData", {"Namespace": "AWS/EC2"})
    assert caught.value.headers["x-amzn-query-error"] == "InvalidParameterValue;Sender"
    assert "AWS/EC2" in cbor2.loads(caught.value.read())["message"]


def test_an_operation_that_nobody_knows_is_refused(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post_query(aws, Action="PutMetricDataTwice")
    assert b"InvalidAction" in caught.value.read()


def test_a_body_that_is_no_json_is_refused(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(aws, b"{", X_Amz_Target="GraniteServiceVersion20100801.ListMetrics")
    assert json.loads(caught.value.read())["__type"] == "SerializationException"
