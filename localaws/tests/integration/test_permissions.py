"""What roles may not do is denied, as IAM denies it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from localaws import LocalAws
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied
from localaws.schedules import fire
from support import sagemaker_requests
from support.functions import create_function
from support.roles import allow
from support.state_machines import create_machine, machine, run, task

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
    ours = {
        "ForAllValues:StringEquals": {"events:source": "ours"},
        "Null": {"events:source": "false"},
    }
    bus = "arn:aws:events:us-east-1:123456789012:event-bus/default"
    allow(aws, "jobs", [_statement("events:PutEvents", bus, Condition=ours)])
    entry = {"Source": "ours", "DetailType": "Event", "Detail": "{}"}

    def put(*entries: dict[str, str]) -> str:
        return _call(aws, "events", "put_events", Entries=entries)

    assert put(entry) == "allowed"
    assert put(entry, entry) == "allowed"
    assert put(entry, entry | {"Source": "theirs"}) == "AccessDeniedException"
    assert put(entry | {"EventBusName": "another"}) == "AccessDeniedException"


@pytest.fixture(scope="module")
def table(aws: LocalAws) -> str:
    aws.client("dynamodb").create_table(
        TableName="leading",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    return "leading"


def _key(partition: str) -> dict[str, Any]:
    return {"pk": {"S": partition}, "sk": {"S": "x"}}


def _query(condition: str, partition: str) -> dict[str, Any]:
    return {
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#k": "pk"} if "#k" in condition else {"#s": "sk"},
        "ExpressionAttributeValues": {":p": {"S": partition}, ":s": {"S": "OURS"}},
    }


@pytest.mark.parametrize(
    ("call", "request_of"),
    [
        ("get_item", lambda p: {"Key": _key(p)}),
        ("put_item", lambda p: {"Item": _key(p)}),
        ("delete_item", lambda p: {"Key": _key(p)}),
        ("update_item", lambda p: {"Key": _key(p)}),
        ("query", lambda p: _query("#k = :p AND sk = :s", p)),
        ("query", lambda p: _query("#s = :s AND pk = :p", p)),
        (
            "batch_get_item",
            lambda p: {
                "RequestItems": {"leading": {"Keys": [{**_key("OURS"), "sk": {"S": "y"}}, _key(p)]}}
            },
        ),
        (
            "batch_write_item",
            lambda p: {
                "RequestItems": {
                    "leading": [
                        {"PutRequest": {"Item": _key("OURS")}},
                        {"DeleteRequest": {"Key": {**_key(p), "sk": {"S": "y"}}}},
                    ]
                }
            },
        ),
        (
            "transact_write_items",
            lambda p: {"TransactItems": [{"Put": {"TableName": "leading", "Item": _key(p)}}]},
        ),
    ],
)
def test_a_condition_holds_calls_of_dynamodb_to_partitions(
    aws: LocalAws, function: str, table: str, call: str, request_of: Any
) -> None:
    ours = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["OURS"]}}
    allow(aws, "jobs", [_statement("dynamodb:*", f"*:table/{table}", Condition=ours)])
    whole = {} if call.startswith(("batch", "transact")) else {"TableName": table}

    assert _call(aws, "dynamodb", call, **whole, **request_of("OURS")) == "allowed"
    denied = _call(aws, "dynamodb", call, **whole, **request_of("THEIRS"))
    assert denied == "AccessDeniedException"


def test_a_scan_has_no_leading_keys_which_a_condition_on_all_of_them_lets_pass(
    aws: LocalAws, function: str, table: str
) -> None:
    ours = {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["OURS"]}}
    allow(aws, "jobs", [_statement("dynamodb:Scan", Condition=ours)])
    assert _call(aws, "dynamodb", "scan", TableName=table) == "allowed"
    allow(
        aws,
        "jobs",
        [_statement("dynamodb:Scan", Condition={"StringEquals": {"dynamodb:LeadingKeys": "OURS"}})],
    )
    assert _call(aws, "dynamodb", "scan", TableName=table) == "AccessDeniedException"


def test_reading_logs_is_allowed_by_the_arn_of_the_streams_of_a_group(
    aws: LocalAws, function: str
) -> None:
    aws.client("logs").create_log_group(logGroupName="told")
    group = "arn:aws:logs:us-east-1:123456789012:log-group:told"
    for resource, code in ((group, "AccessDeniedException"), (f"{group}:*", "allowed")):
        allow(aws, "jobs", [_statement("logs:FilterLogEvents", resource)])
        assert _call(aws, "logs", "filter_log_events", logGroupName="told") == code


def test_a_transform_is_a_resource_of_its_own_beside_the_stack(
    aws: LocalAws, function: str
) -> None:
    template = "Transform: AWS::Serverless-2016-10-31\nResources: {T: {Type: AWS::SNS::Topic}}"
    ours = "arn:aws:cloudformation:us-east-1:123456789012:stack/ours/*"
    transform = "arn:aws:cloudformation:us-east-1:aws:transform/Serverless-2016-10-31"
    create = "cloudformation:CreateChangeSet"
    asked = {
        "StackName": "ours",
        "ChangeSetName": "first",
        "ChangeSetType": "CREATE",
        "TemplateBody": template,
        "Capabilities": ["CAPABILITY_AUTO_EXPAND"],
    }
    allow(aws, "jobs", [_statement(create, ours)])
    assert _call(aws, "cloudformation", "create_change_set", **asked) == "AccessDenied"
    allow(aws, "jobs", [_statement(create, ours), _statement(create, transform)])
    assert _call(aws, "cloudformation", "create_change_set", **asked) == "allowed"


def test_describing_every_stack_needs_the_permission_to_list_them_too(
    aws: LocalAws, function: str
) -> None:
    call = ("cloudformation", "describe_stacks")
    describe = _statement("cloudformation:DescribeStacks", "arn:aws:cloudformation:*:*:stack/*")
    allow(aws, "jobs", [describe])
    assert _call(aws, *call) == "AccessDenied"

    allow(aws, "jobs", [describe, _statement("cloudformation:ListStacks")])
    assert _call(aws, *call) == "allowed"


def test_an_execution_is_started_by_who_may_start_its_state_machine(
    aws: LocalAws, function: str, role: str
) -> None:
    started = create_machine(aws, role, machine(Same={"Type": "Succeed"}))
    for resource, code in ((f"{started}-other", "AccessDeniedException"), (started, "allowed")):
        allow(aws, "jobs", [_statement("states:StartExecution", resource)])
        assert _call(aws, "stepfunctions", "start_execution", stateMachineArn=started) == code


def test_only_who_may_list_a_bucket_learns_that_an_object_is_missing(
    aws: LocalAws, function: str, bucket: str
) -> None:
    read = _statement("s3:GetObject", f"arn:aws:s3:::{bucket}/*")
    allow(aws, "jobs", [read])
    assert _call(aws, "s3", "get_object", Bucket=bucket, Key="missing") == "AccessDenied"
    allow(aws, "jobs", [read, _statement("s3:ListBucket", f"arn:aws:s3:::{bucket}")])
    assert _call(aws, "s3", "get_object", Bucket=bucket, Key="missing") == "NoSuchKey"


def test_who_may_list_a_folder_may_not_list_the_bucket(
    aws: LocalAws, function: str, bucket: str
) -> None:
    below = {"StringLike": {"s3:prefix": "past/*"}}
    allow(aws, "jobs", [_statement("s3:ListBucket", f"arn:aws:s3:::{bucket}", Condition=below)])
    for listing in ("list_objects", "list_objects_v2"):
        assert _call(aws, "s3", listing, Bucket=bucket, Prefix="past/2026/") == "allowed"
        assert _call(aws, "s3", listing, Bucket=bucket, Prefix="other/") == "AccessDenied"
        assert _call(aws, "s3", listing, Bucket=bucket) == "AccessDenied"


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
