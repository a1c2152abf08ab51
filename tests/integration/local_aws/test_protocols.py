"""The protocols that clients of CloudWatch speak: boto3's CBOR, JSON, and the query protocol of older CLIs."""

import gzip
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import cbor2
import pytest

from localaws import LocalAws

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CREDENTIAL = "Credential=old-cli/20260301/us-east-1/monitoring/aws4_request"
AUTHORIZATION = f"AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=0"
XML = "{http://monitoring.amazonaws.com/doc/2010-08-01/}"


def post(aws: LocalAws, body: bytes, **headers: str) -> bytes:
    sent = {"Authorization": AUTHORIZATION, **{k.replace("_", "-"): v for k, v in headers.items()}}
    request = urllib.request.Request(aws.endpoint_url, body, sent)
    with urllib.request.urlopen(request) as response:
        answer: bytes = response.read()
        return answer


def post_query(aws: LocalAws, **fields: str) -> ET.Element:
    body = urllib.parse.urlencode({"Version": "2010-08-01", **fields}).encode()
    return ET.fromstring(post(aws, body, Content_Type="application/x-www-form-urlencoded"))


def post_json(aws: LocalAws, operation: str, body: Mapping[str, Any], **headers: str) -> Any:
    encoded = json.dumps(body).encode()
    if headers.get("Content_Encoding") == "gzip":
        encoded = gzip.compress(encoded)
    target = f"GraniteServiceVersion20100801.{operation}"
    kind = "application/x-amz-json-1.0"
    answer = post(aws, encoded, X_Amz_Target=target, Content_Type=kind, **headers)
    return json.loads(answer or b"{}")


def post_cbor(aws: LocalAws, operation: str, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(
        f"{aws.endpoint_url}/service/GraniteServiceVersion20100801/operation/{operation}",
        cbor2.dumps(body, datetime_as_timestamp=True),
        {
            "Authorization": AUTHORIZATION,
            "Content-Type": "application/cbor",
            "Smithy-Protocol": "rpc-v2-cbor",
        },
    )
    with urllib.request.urlopen(request) as response:
        return cbor2.loads(response.read())


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
