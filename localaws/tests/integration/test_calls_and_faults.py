"""The record of calls, and what can be made to happen to them."""

import json
from collections.abc import Callable
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from localaws import Fault, LocalAws
from localaws.faults import CallerEnd
from support.functions import create_function

ONE_TRY = {"retries": {"max_attempts": 0}}


def test_a_call_is_recorded_with_caller_parameters_and_outcome(aws: LocalAws) -> None:
    with pytest.raises(ClientError):
        aws.client("sns").publish(TopicArn="arn:aws:sns:us-east-1:123456789012:no", Message="m")
    (call,) = aws.calls
    assert (call.service, call.operation, call.caller) == ("sns", "Publish", "local-operator")
    assert call.parameters["Message"] == "m"
    assert call.error_code == "NotFound"
    assert not call.succeeded


def test_s3_calls_are_named_by_what_they_do(aws: LocalAws, bucket: str) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="a/b c", Body=b"1")
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/a/b c")
    s3.list_objects_v2(Bucket=bucket, Prefix="a/")
    s3.head_object(Bucket=bucket, Key="copy")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    s3.delete_object(Bucket=bucket, Key="copy")
    s3.list_buckets()
    assert [call.operation for call in aws.calls] == [
        "PutObject",
        "CopyObject",
        "ListObjectsV2",
        "HeadObject",
        "PutBucketTagging",
        "DeleteObject",
        "ListBuckets",
    ]
    assert aws.calls[0].parameters == {"Bucket": bucket, "Key": "a/b c"}


def test_calls_are_counted_by_service_and_operation(aws: LocalAws) -> None:
    aws.client("s3").list_buckets()
    aws.client("dynamodb").list_tables()
    assert aws.calls.count("s3.ListBuckets") == 1
    assert aws.calls.count("s3.PutObject") == 0
    assert [call.operation for call in aws.calls.of("dynamodb")] == ["ListTables"]


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("s3", "ListBuckets", "list_buckets"),
        ("dynamodb", "ListTables", "list_tables"),
        ("cloudwatch", "ListMetrics", "list_metrics"),
        ("sns", "ListTopics", "list_topics"),
        ("lambda", "ListFunctions", "list_functions"),
        ("sagemaker", "ListModels", "list_models"),
    ],
)
def test_an_error_arrives_in_every_protocol_as_boto3_reads_it(
    aws: LocalAws, service: str, operation: str, call: str
) -> None:
    client = aws.client(service, **ONE_TRY)
    aws.faults.add(Fault.throttling(service, operation, message="slow down", times=1))
    with pytest.raises(ClientError) as caught:
        getattr(client, call)()
    assert caught.value.response["Error"]["Code"] == "ThrottlingException"
    assert caught.value.response["Error"]["Message"] == "slow down"
    getattr(client, call)()


def test_a_fault_hits_as_often_as_it_says_and_boto3_retries_it_away(aws: LocalAws) -> None:
    aws.faults.add(Fault.throttling("dynamodb", times=2))
    aws.client("dynamodb", retries={"max_attempts": 4}).list_tables()
    codes = [call.error_code for call in aws.calls]
    assert codes == ["ThrottlingException", "ThrottlingException", None]


def test_a_fault_hits_only_the_calls_that_it_picks(aws: LocalAws, bucket: str) -> None:
    aws.faults.add(
        Fault("s3", "Put*", error="AccessDenied", status=403, when=lambda p: p["Key"] == "no")
    )
    s3 = aws.client("s3")
    s3.put_object(Bucket=bucket, Key="yes", Body=b"")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=bucket, Key="no", Body=b"")


def test_a_connection_reset_before_the_work_leaves_it_undone(aws: LocalAws, bucket: str) -> None:
    s3 = aws.client("s3", **ONE_TRY)
    with (
        aws.faults.during(Fault("s3", "PutObject", reset="before")),
        pytest.raises(ConnectionClosedError),
    ):
        s3.put_object(Bucket=bucket, Key="reset-before", Body=b"1")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="reset-before")["KeyCount"] == 0


def test_a_connection_reset_after_the_work_leaves_it_done(aws: LocalAws, bucket: str) -> None:
    s3 = aws.client("s3", **ONE_TRY)
    with (
        aws.faults.during(Fault("s3", "PutObject", reset="after")),
        pytest.raises(ConnectionClosedError),
    ):
        s3.put_object(Bucket=bucket, Key="reset-after", Body=b"1")
    assert s3.list_objects_v2(Bucket=bucket, Prefix="reset-after")["KeyCount"] == 1


def test_a_slow_call_runs_into_the_clients_timeout(aws: LocalAws) -> None:
    client = aws.client("s3", read_timeout=0.1, **ONE_TRY)
    with (
        aws.faults.during(Fault("s3", delay_seconds=0.4)),
        pytest.raises(HTTPClientError, match="timeout"),
    ):
        client.list_buckets()


def test_a_fault_can_be_for_one_caller_only(aws: LocalAws) -> None:
    aws.faults.add(Fault.throttling("s3", caller="somebody-else"))
    aws.client("s3", **ONE_TRY).list_buckets()


CALLING = """
import boto3, os, time

def handler(event, context):
    started = time.time()
    time.sleep(event.get("pause", 0))
    boto3.client("s3").put_object(Bucket=event["bucket"], Key="done", Body=b"1")
    return {"seconds": time.time() - started, "process": os.getpid()}
"""


@pytest.fixture(scope="module")
def invoke(aws: LocalAws, role: str, bucket: str) -> Callable[..., dict[str, Any]]:
    create_function(aws, role, "calling", CALLING, Timeout=600)

    def invoked(**event: Any) -> dict[str, Any]:
        payload = json.dumps({"bucket": bucket, **event})
        answer = aws.client("lambda").invoke(FunctionName="calling", Payload=payload)
        told: dict[str, Any] = json.loads(answer["Payload"].read())
        return told

    return invoked


@pytest.mark.parametrize(
    ("ends", "error"), [("killed", "Runtime.ExitError"), ("timed out", "Sandbox.Timedout")]
)
def test_a_function_can_end_after_its_call_has_worked(
    aws: LocalAws,
    bucket: str,
    invoke: Callable[..., dict[str, Any]],
    ends: CallerEnd,
    error: str,
) -> None:
    first = invoke()["process"]
    aws.client("s3").delete_object(Bucket=bucket, Key="done")
    aws.faults.add(Fault("s3", "PutObject", ends=ends, times=1))
    before = aws.clock.now()

    assert invoke()["errorType"] == error

    assert _keys(aws, bucket, "done") == ["done"]
    assert (aws.clock.now() - before >= timedelta(minutes=9)) == (ends == "timed out")
    assert invoke()["process"] != first


def test_a_function_that_pauses_costs_the_clocks_time_not_ours(
    aws: LocalAws, invoke: Callable[..., dict[str, Any]]
) -> None:
    aws.clock.move_to(aws.clock.now())
    before = aws.clock.now()
    started = monotonic()

    assert invoke(pause=300)["seconds"] >= 300

    assert aws.clock.now() - before >= timedelta(seconds=300)
    assert monotonic() - started < 300


def test_a_fault_can_let_some_calls_pass_first(aws: LocalAws) -> None:
    aws.faults.add(Fault("s3", "ListBuckets", error="AccessDenied", skip=2, times=1))
    s3 = aws.client("s3")
    s3.list_buckets()
    s3.list_buckets()
    with pytest.raises(ClientError):
        s3.list_buckets()
    s3.list_buckets()


def _keys(aws: LocalAws, bucket: str, prefix: str) -> list[str]:
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
    return [each["Key"] for each in found["Contents"]]
