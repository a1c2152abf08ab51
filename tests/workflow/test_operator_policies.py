"""docs/policies/read.json and operate.json: with them every command works, without them it is refused, and nothing is too much."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner, Result

from cutwatch.aws.s3 import Bucket
from cutwatch.live.live_bucket import LiveBucket, LiveState
from cutwatch.live.live_store import LiveStore
from cutwatch_cli.main import app
from localaws.calls import Call
from tests.support.every_call import DENIALS
from tests.support.fleet import FIRST_TRANSFORM, Fleet, detector, fleet, with_spike
from tests.support.policy_documents import acting_in, document, role_with

RUN = "transform-20260608T030000Z"
# The local AWS lets pass the time-out of every training that a transform has asked for.
LONG = ("--since", "60d")
WRITES = ("dynamodb.PutItem", "dynamodb.DeleteItem", "stepfunctions.StartExecution")
READER, OPERATOR = "read", "read-operate"

READING = [
    (["status"], 0),
    (["status", "--problems"], 0),
    (["watch", "--once"], 0),
    (["events", *LONG], 0),
    (["events", "checkout", *LONG, "--json"], 0),
    (["logs", RUN], 0),
    (["silence", "--list"], 0),
]
OPERATING = [
    ["start", "training", "--detector", "checkout", "--wait"],
    ["start", "transform", "--detector", "checkout", "--wait"],
    ["silence", "checkout", "--for", "1d", "--reason", "a sale"],
    ["silence", "--lift", "checkout"],
]


@pytest.fixture(scope="module")
def shop() -> Iterator[Fleet]:
    """A detector with a spike, trained, transformed and live; a silenced one, whose recipe is gone."""
    watched = [detector(name, engine="lambda") for name in ("checkout", "orders")]
    with fleet(watched) as shop:
        for each in watched:
            shop.load(each, with_spike(FIRST_TRANSFORM - timedelta(days=2)))
        shop.train()
        shop.transform()
        bucket = Bucket(shop.aws.client("s3"), shop.stack.outputs["DataBucketName"])
        bucket.delete(shop.registry.detectors.get("orders").models[0].recipe)
        live = LiveBucket({"checkout": LiveState("basis", period=300)})
        bucket.write_bytes(LiveStore(bucket).key(0), live.to_bytes())
        role_with(shop.aws, "read", stack="cutwatch")
        role_with(shop.aws, "read", "operate", stack="cutwatch")
        with patch.dict(os.environ, _surroundings(shop)):
            assert cutwatch("silence", "orders", "--for", "90d", "--reason", "known").exit_code == 0
            yield shop


def _surroundings(shop: Fleet) -> dict[str, str]:
    return shop.operators_environment() | {"AWS_SESSION_TOKEN": ""}


def cutwatch(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def denied(shop: Fleet, role: str) -> list[Call]:
    return [call for call in shop.aws.calls if call.role == role and call.error_code in DENIALS]


def executions(shop: Fleet) -> list[str]:
    """By both state machines, newest first."""
    stepfunctions = shop.aws.client("stepfunctions")
    return [
        found["executionArn"]
        for machine in ("TrainingStateMachine", "TransformStateMachine")
        for found in stepfunctions.list_executions(stateMachineArn=shop.stack.physical_id(machine))[
            "executions"
        ]
    ]


def look_at_the_dashboard(shop: Fleet, role: str) -> None:
    """Make the console's calls for the list of dashboards and every kind of widget of ours, with the role of whoever looks."""
    cloudwatch, logs = (shop.aws.client_of(role, name) for name in ("cloudwatch", "logs"))
    name, now = shop.stack.outputs["DashboardName"], shop.aws.clock.now()
    assert name in [
        each["DashboardName"] for each in cloudwatch.list_dashboards()["DashboardEntries"]
    ]
    body = json.loads(cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"])
    kinds = {widget["type"]: widget["properties"] for widget in body["widgets"]}
    assert kinds.keys() == {"text", "alarm", "custom", "metric", "log"}
    cloudwatch.list_metrics(Namespace=shop.stack.outputs["AnomalyNamespace"])
    search = f"SEARCH('{body['variables'][0]['search']}', 'Maximum', 3600)"
    cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "e", "Expression": search}],
        StartTime=now - timedelta(days=1),
        EndTime=now,
    )
    alarms = [arn.rpartition(":")[2] for arn in kinds["alarm"]["alarms"]]
    assert len(cloudwatch.describe_alarms(AlarmNames=alarms)["MetricAlarms"]) == len(alarms)
    started = logs.start_query(
        logGroupName=shop.stack.outputs["FunctionsLogGroupName"],
        startTime=int(now.timestamp()) - 86_400,
        endTime=int(now.timestamp()),
        queryString=kinds["log"]["query"].partition("| ")[2],
    )
    logs.get_query_results(queryId=started["queryId"])
    function = kinds["custom"]["endpoint"]
    shop.aws.client_of(role, "lambda").invoke(FunctionName=function)


@pytest.fixture(scope="module")
def read_everything(shop: Fleet, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Everything that reads has worked for who may read."""
    folder = tmp_path_factory.mktemp("read")
    with acting_in(READER):
        for arguments, code in READING:
            result = cutwatch(*arguments)
            assert result.exit_code == code, (arguments, result.output)
        for execution in executions(shop):
            result = cutwatch("logs", execution)
            assert result.exit_code == 0, result.output
        page = folder / "report.html"
        result = cutwatch("report", "checkout", "orders", *LONG, "--output", str(page))
        assert result.exit_code == 0, result.output
        assert page.exists()
        metric = ("--namespace", "Shop", "--metric", "checkout", "--statistic", "Average")
        result = cutwatch("export", *metric, "--output", str(folder))
        assert result.exit_code == 0, result.output
    look_at_the_dashboard(shop, READER)


@pytest.fixture(scope="module")
def operated(shop: Fleet) -> None:
    """Everything that is more than reading has worked for who operates."""
    with acting_in(OPERATOR):
        for arguments in OPERATING:
            result = cutwatch(*arguments)
            assert result.exit_code == 0, (arguments, result.output)


@pytest.mark.slow
@pytest.mark.usefixtures("read_everything")
def test_who_may_read_can_use_every_command_that_reads(shop: Fleet) -> None:
    assert denied(shop, READER) == []


@pytest.mark.usefixtures("operated")
def test_who_operates_can_start_and_silence_too(shop: Fleet) -> None:
    assert denied(shop, OPERATOR) == []


@pytest.mark.parametrize(
    ("arguments", "action"),
    [
        (["start", "training"], "states:StartExecution"),
        (["start", "transform", "--detector", "checkout", "--wait"], "states:StartExecution"),
        (["silence", "checkout", "--for", "1d", "--reason", "x"], "dynamodb:PutItem"),
        (["silence", "--lift", "orders"], "dynamodb:DeleteItem"),
    ],
)
def test_who_may_only_read_is_refused_the_rest_in_one_line_and_nothing_changes(
    shop: Fleet, arguments: list[str], action: str
) -> None:
    silences, before = shop.registry.silences.all(), executions(shop)
    with acting_in(READER):
        result = cutwatch(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"cutwatch: these credentials lack the permission {action}: ")
    assert (shop.registry.silences.all(), executions(shop)) == (silences, before)


# The stack of live detection is not deployed here; `cutwatch logs live` reads this log group.
LIVE_LOGS = "log-group:/aws/lambda/cutwatch-live:"


@pytest.mark.usefixtures("read_everything")
def test_nothing_is_granted_that_no_command_that_reads_uses(shop: Fleet) -> None:
    permissions = shop.aws.permissions
    unused = permissions.granted(READER) - permissions.uses
    assert {use for use in unused if LIVE_LOGS not in use.resource} == set()


@pytest.mark.usefixtures("operated")
def test_nothing_is_granted_besides_reading_that_no_command_uses(shop: Fleet) -> None:
    """Who operates reads with the very statements of who may read."""
    permissions = shop.aws.permissions
    granted = permissions.granted(OPERATOR)
    reading = {replace(use, role=OPERATOR) for use in permissions.granted(READER)}
    assert reading < granted
    assert granted - reading - permissions.uses == set()


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("put_item", {"Item": {"pk": {"S": "DETECTOR"}, "sk": {"S": "checkout"}}}),
        ("delete_item", {"Key": {"pk": {"S": "DETECTOR"}, "sk": {"S": "checkout"}}}),
        ("update_item", {"Key": {"pk": {"S": "SILENCE"}, "sk": {"S": "checkout"}}}),
        ("get_item", {"Key": {"pk": {"S": "DETECTOR"}, "sk": {"S": "checkout"}}}),
        ("scan", {}),
    ],
)
def test_who_operates_writes_silences_and_nothing_else(
    shop: Fleet, operation: str, request_: dict[str, object]
) -> None:
    dynamodb = shop.aws.client_of(OPERATOR, "dynamodb")
    table = shop.stack.outputs["RegistryTableName"]
    with pytest.raises(ClientError, match="not authorized to perform"):
        getattr(dynamodb, operation)(TableName=table, **request_)


@pytest.mark.parametrize("key", ["data/checkout/x", "scores/x", "models/checkout/x/forest"])
def test_who_operates_reads_no_datapoints_scores_or_forests(shop: Fleet, key: str) -> None:
    s3 = shop.aws.client_of(OPERATOR, "s3")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=shop.stack.outputs["DataBucketName"], Key=key)


@pytest.mark.parametrize("name", ["read", "operate"])
def test_every_statement_is_named_and_only_metrics_and_lists_are_read_of_any_resource(
    name: str,
) -> None:
    statements = document(name, region="us-east-1", stack="cutwatch")["Statement"]
    assert len({statement["Sid"] for statement in statements}) == len(statements)
    wide = [statement["Sid"] for statement in statements if statement["Resource"] == "*"]
    reading = ["ListStacks", "ReadMetrics", "FindTheDashboard"]
    assert wide == (reading if name == "read" else [])
