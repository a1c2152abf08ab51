"""What roles may not do is denied, as IAM denies it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from local.aws import LocalAws
from local.aws.iam.needs import Need
from local.aws.iam.permissions import AccessDenied
from local.aws.schedules import fire
from tests.integration.local_aws import sagemaker_requests
from tests.integration.local_aws.functions import create_function
from tests.integration.local_aws.roles import allow
from tests.integration.local_aws.state_machines import create_machine, machine, run, task

CALLS = """
    import boto3

    def handler(event, context):
        client = boto3.client(event["service"])
        try:
            getattr(client, event["call"])(**event["with"])
        except Exception as error:
            return error.response["Error"]["Code"]
        return "allowed"
"""
ASKED = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_is_allowed(aws: LocalAws, role: str) -> Iterator[None]:
    allow(aws, "jobs", [_statement("logs:PutLogEvents")])
    yield
    allow(aws, "jobs", [_statement("*")])


@pytest.fixture(scope="module")
def function(aws: LocalAws, role: str) -> str:
    return create_function(aws, role, "caller", CALLS)


def _statement(action: str, resource: str = "*", **fields: Any) -> dict[str, Any]:
    return {"Sid": "S", "Effect": "Allow", "Action": action, "Resource": resource, **fields}


def _call(aws: LocalAws, service: str, call: str, **parameters: Any) -> str:
    event = {"service": service, "call": call, "with": parameters}
    answer = aws.client("lambda").invoke(FunctionName="caller", Payload=json.dumps(event))
    return str(json.load(answer["Payload"]))


@pytest.mark.parametrize(
    ("service", "call", "parameters", "code"),
    [
        ("s3", "list_objects_v2", {"Bucket": "rows-and-scores"}, "AccessDenied"),
        ("dynamodb", "get_item", {"TableName": "t", "Key": {}}, "AccessDeniedException"),
        ("cloudwatch", "list_metrics", {}, "AccessDenied"),
        ("sagemaker", "describe_model", {"ModelName": "m"}, "AccessDeniedException"),
        (
            "sns",
            "publish",
            {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"},
            "AuthorizationError",
        ),
    ],
)
def test_a_function_is_denied_in_the_words_of_each_service(
    aws: LocalAws, function: str, service: str, call: str, parameters: Any, code: str
) -> None:
    assert _call(aws, service, call, **parameters) == code
    assert aws.calls[-2].role == "jobs"


def test_a_condition_holds_publishing_to_one_namespace(aws: LocalAws, function: str) -> None:
    ours = {"StringEquals": {"cloudwatch:namespace": "Ours"}}
    allow(aws, "jobs", [_statement("cloudwatch:PutMetricData", Condition=ours)])
    data = [{"MetricName": "m", "Value": 1.0}]
    assert (
        _call(aws, "cloudwatch", "put_metric_data", Namespace="Ours", MetricData=data) == "allowed"
    )
    denied = _call(aws, "cloudwatch", "put_metric_data", Namespace="Theirs", MetricData=data)
    assert denied == "AccessDenied"


def test_a_condition_holds_events_to_one_source_and_one_bus(aws: LocalAws, function: str) -> None:
    ours = {"StringEquals": {"events:source": "ours"}}
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
    allow(aws, "jobs", [_statement("events:PutEvents", bus, Condition=ours)])
    entry = {"Source": "ours", "DetailType": "Event", "Detail": "{}"}

    def put(*entries: dict[str, str]) -> str:
        return _call(aws, "events", "put_events", Entries=entries)

    assert put(entry) == "allowed"
    assert put(entry, entry | {"Source": "theirs"}) == "AccessDeniedException"
    assert put(entry | {"EventBusName": "another"}) == "AccessDeniedException"


def test_only_who_may_list_a_bucket_learns_that_an_object_is_missing(
    aws: LocalAws, function: str, bucket: str
) -> None:
    read = _statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    allow(aws, "jobs", [read])
    assert _call(aws, "s3", "get_object", Bucket=bucket, Key="missing") == "AccessDenied"
    allow(aws, "jobs", [read, _statement("s3:ListBucket", f"arn:aws:s3:::{bucket}")])
    assert _call(aws, "s3", "get_object", Bucket=bucket, Key="missing") == "NoSuchKey"


def test_a_role_is_handed_to_the_service_that_the_policy_names(
    aws: LocalAws, function: str, role: str
) -> None:
    request = sagemaker_requests.model("m", role, "s3://rows-and-scores/none")
    create = _statement("sagemaker:CreateModel")
    assert _call(aws, "sagemaker", "create_model", **request) == "AccessDeniedException"
    for service, code in (
        ("lambda", "AccessDeniedException"),
        ("sagemaker", "ValidationException"),
    ):
        to = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
        allow(aws, "jobs", [create, _statement("iam:PassRole", role, Condition=to)])
        assert _call(aws, "sagemaker", "create_model", **request) == code


def test_a_job_sees_only_what_its_role_may_see(aws: LocalAws, bucket: str, role: str) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="rows/1.csv", Body=b"1\n")
    sagemaker = aws.client("sagemaker")
    with pytest.raises(sagemaker.exceptions.ClientError, match="No S3 objects found"):
        sagemaker.create_training_job(**sagemaker_requests.training("t", role, bucket, "rows/"))
    allow(aws, "jobs", [_statement("s3:ListBucket")])
    sagemaker.create_training_job(**sagemaker_requests.training("t", role, bucket, "rows/"))
    job = sagemaker_requests.ended(sagemaker, "Training", "t")
    assert "not authorized to perform: s3:GetObject" in job["FailureReason"]


def test_a_state_machine_invokes_what_its_role_allows(
    aws: LocalAws, function: str, role: str
) -> None:
    invokes = machine(Invoke=task(function))
    ended = run(aws, role, invokes, {}).wait()
    assert ended.error == "States.Permissions"
    assert "lambda:InvokeFunction" in str(ended.cause)


def test_what_a_rule_may_not_start_lies_in_its_dead_letter_queue(aws: LocalAws, role: str) -> None:
    sqs, events = aws.client("sqs"), aws.client("events")
    rule = events.put_rule(Name="r", ScheduleExpression="rate(1 hour)", State="DISABLED")["RuleArn"]
    send = {**_statement("sqs:SendMessage"), "Principal": {"Service": "events.amazonaws.com"}}
    policy = {
        "Version": "2012-10-17",
        "Statement": [{**send, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}],
    }
    queue = sqs.create_queue(QueueName="q", Attributes={"Policy": json.dumps(policy)})["QueueUrl"]
    letters = "arn:aws:sqs:us-east-1:123456789012:q"
    started = create_machine(aws, role, machine(Same={"Type": "Succeed"}))
    target = {"Id": "t", "Arn": started, "RoleArn": role, "DeadLetterConfig": {"Arn": letters}}
    events.put_targets(Rule="r", Targets=[target])
    assert fire("r", ASKED, "us-east-1") == []
    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(message["Body"])["time"] == "2026-03-01T12:00:00Z"
    allow(aws, "jobs", [_statement("states:StartExecution", started)])
    assert len(fire("r", ASKED, "us-east-1")) == 1


def test_a_permissions_boundary_bounds(aws: LocalAws, role: str) -> None:
    iam = aws.client("iam")
    document = {"Version": "2012-10-17", "Statement": [_statement("s3:*")]}
    bound = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(document))
    iam.put_role_permissions_boundary(RoleName="jobs", PermissionsBoundary=bound["Policy"]["Arn"])
    allow(aws, "jobs", [_statement("*")])
    aws.permissions.demand("jobs", Need("s3:GetObject", "arn:aws:s3:::b/k"))
    with pytest.raises(AccessDenied, match="sns:Publish"):
        aws.permissions.demand("jobs", Need("sns:Publish", "*"))
    iam.delete_role_permissions_boundary(RoleName="jobs")
