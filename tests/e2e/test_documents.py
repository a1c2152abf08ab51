"""Every command that README.md and docs/*.md show is run on the local AWS, or it is known why not."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch_cli.replay.application import deploy
from localaws import LocalAws, Stack
from tests.support.documents import DOCUMENTS, Shown, shown
from tests.support.local_server import cutwatch_local
from tests.support.project import PROJECT
from tests.support.reader import Reader, Typed, filled, missing_tools

# By how the command begins.
NOT_RUN = {
    "make demo": "a replay of two months; tests/workflow/test_replay.py runs one",
    "cutwatch demo --live": "two weeks of runs; tests/workflow/test_live.py runs a day of them",
    "cutwatch watch": "ends only when it is stopped; tests/workflow/test_live.py runs it once",
    "sam build --template stacks/live.yaml": "downloads packages for Python 3.13",
    "sam deploy --template .aws-sam/live": "needs that build; tests/workflow/test_live.py deploys the stack",
    "PYTHONPATH=functions:cli:. .venv/bin/python benchmarks/": "measures for minutes",
    "make test": "runs the other tests",
    "make faults": "takes many minutes; tests/faults runs a part of it",
    "make account-check": "tests/e2e/test_account_check.py runs its command against the local AWS",
    "make fuzz": "installs a fuzzer and runs for minutes; tests run its harnesses on their seeds",
    "cutwatch stream sample": "needs a stream; tests/integration/test_stream_sample_command.py runs it",
    "sam deploy --config-env stream": "needs a stream; tests/e2e/test_first_stream.py types it",
    "cutwatch backtest records.jsonl": "needs a stream; tests/e2e/test_first_stream.py types it",
    "cutwatch events vitals": "needs a stream; tests/e2e/test_first_stream.py types it",
    "cutwatch logs vitals": "needs a stream; tests/e2e/test_first_stream.py types it",
    "aws dynamodb update-table": "needs a table; tests/e2e/test_first_table.py types it",
    "sam deploy --config-env table": "needs a table; tests/e2e/test_first_table.py types it",
    "aws stepfunctions start-execution --input '{}'": "needs a table; tests/e2e/test_first_table.py types it",
    "cutwatch events taxi": "needs a table; tests/e2e/test_first_table.py types it",
    "cutwatch logs taxi": "needs a table; tests/e2e/test_first_table.py types it",
    "sam build": "downloads packages for Python 3.13; tests/e2e/test_sam_build.py runs it where there is one",
    "sam deploy --guided": "asks questions; tests/e2e/test_first_contact.py answers them",
    "sam deploy  ": "asks before it changes anything; tests/e2e/test_first_contact.py answers",
    "sam local invoke": "needs Docker; `make e2e` runs every function in Lambda's image where there is one",
    "cutwatch local": "ends only when it is stopped; all commands of docs/local.md run against one",
    "cutwatch environment --endpoint-url": "for a container; it is run without the option",
    "PYTHONPATH=functions:cli .venv/bin/python benchmarks/": "reads data sets that are no part of the project",
    ".venv/bin/python benchmarks/": "measures for minutes",
    "OMP_NUM_THREADS=1 .venv/bin/python benchmarks/": "measures for minutes",
    "python3.13 -m venv /tmp/runtime": "for measurements that are not run either",
    "/tmp/runtime/bin/pip": "for measurements that are not run either",
}
LOCAL, OPERATIONS, TUNING = (
    PROJECT / "docs" / name for name in ("local.md", "operations.md", "tuning.md")
)
# tests/e2e/test_first_contact.py runs what README.md shows.
README = PROJECT / "README.md"
OTHERS = [each for each in DOCUMENTS if each not in (LOCAL, OPERATIONS, TUNING, README)]
PERIOD = 300
# Runs find news for as long as commands are typed.
HISTORY, AHEAD = timedelta(days=14), timedelta(days=1)
# Of one's own: it is `cutwatch` on the page that has it, which is the default as well.
PREFIX = "cutwatch"

needs_tools = pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))


def why_not(command: str) -> str | None:
    return next((why for start, why in NOT_RUN.items() if command.startswith(start)), None)


def to_run(document: Path) -> list[Shown]:
    return [one for one in shown(document) if why_not(one.command) is None]


def usual(datapoints: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A day's rhythm with noise, and a spike two days before its end."""
    positions = np.arange(datapoints)
    noise = np.random.default_rng(1).normal(0, 2, datapoints)
    values = 100 + 20 * np.sin(2 * np.pi * positions * PERIOD / 86_400) + noise
    values[-2 * 86_400 // PERIOD :][:3] = 400
    return values


def moments(datapoints: int, ahead: timedelta = timedelta()) -> list[datetime]:
    """Up to now, or further, on the grid of the period."""
    last = int((datetime.now(UTC) + ahead).timestamp()) // PERIOD * PERIOD
    first = datetime.fromtimestamp(last, UTC) - timedelta(seconds=PERIOD * datapoints)
    return [first + timedelta(seconds=PERIOD * n) for n in range(datapoints)]


@contextmanager
def watching() -> Iterator[tuple[LocalAws, Stack]]:
    """A stack of the default name with detectors of both engines, trained and transformed, with an event each."""
    watched = [
        Detector("checkout", "Shop", "checkout", "Average", period=PERIOD, history_days=3),
        Detector(
            "orders", "Shop", "orders", "Average", period=PERIOD, history_days=3, engine="lambda"
        ),
    ]
    with LocalAws() as aws:
        parameters = {"DataDelayMinutes": "0", "NotificationEmail": "somebody@example.com"}
        stack = deploy(aws, watched, parameters)
        datapoints = int(HISTORY.total_seconds()) // PERIOD
        for each in watched:
            series = (moments(datapoints, AHEAD), usual(datapoints))
            aws.cloudwatch.load_series(each.namespace, each.metric, {}, PERIOD, *series)
        now = datetime.now(UTC).replace(microsecond=0)
        for rule, at in (("TrainingRule", now - timedelta(days=7)), ("TransformRule", now)):
            for execution in stack.fire(rule, at=at):
                assert execution.wait().status == "SUCCEEDED"
        yield aws, stack


def account(aws: LocalAws) -> Mapping[str, str]:
    return {
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": aws.region,
        "CUTWATCH_STACK": PREFIX,
    }


def failed(typed: list[Typed], commands: list[str]) -> str:
    """In words, those that ended badly, and those that were not even begun."""
    ended = [f"{one.command}\nexit code {one.code}: {one.printed}" for one in typed if one.code]
    never = [f"{command}\nnot begun" for command in commands[len(typed) :]]
    return "\n\n".join([*ended, *never])


def different(commands: list[Shown], typed: list[Typed]) -> list[tuple[str, str, str]]:
    """Commands that printed something else than their page shows, with both."""
    return [
        (one.command, one.output, answer.printed)
        for one, answer in zip(commands, typed, strict=True)
        if not one.is_in(answer.printed)
    ]


def write_metrics(folder: Path) -> None:
    """What the pages call a metric of one's own, and two collections of them."""
    datapoints = 21 * 86_400 // PERIOD
    rows = zip(moments(datapoints), usual(datapoints), strict=True)
    lines = ["timestamp,value", *(f"{at:%Y-%m-%d %H:%M:%S},{value:.3f}" for at, value in rows)]
    for name in ("my-metric.csv", "NAB/data/own/metric.csv", "KPI/data/metric.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(lines))


def measure_balancers(aws: LocalAws) -> None:
    balancer = {"Name": "LoadBalancer", "Value": "app/web/1"}
    aws.cloudwatch.load_series(
        "AWS/ApplicationELB", "RequestCount", {balancer["Name"]: balancer["Value"]}, PERIOD,
        moments(10), np.ones(10),
    )  # fmt: skip


def bury_event(aws: LocalAws, queue: str) -> None:
    """A scheduled event that could not be delivered; received again and again, so that its handle can be asked for."""
    sqs = aws.client("sqs")
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "0"})
    sqs.send_message(QueueUrl=queue, MessageBody="{}")


def placeholders(stack: Stack) -> dict[str, str]:
    handle = (
        f"$(aws sqs receive-message --queue-url {stack.outputs['UndeliveredEventsQueueUrl']} "
        "--query 'Messages[0].ReceiptHandle' --output text)"
    )
    return {
        **{f"<{name}>": value for name, value in stack.outputs.items()},
        "<Body>": "{}",
        "<ReceiptHandle>": handle,
        "STACK": stack.name,
        "BUCKET": stack.outputs["DataBucketName"],
        "JOBNAMEPREFIX": PREFIX,
        "NAME": "checkout",
    }


def test_no_reason_outlives_its_command() -> None:
    every = [one.command for document in DOCUMENTS for one in shown(document)]
    assert [start for start in NOT_RUN if not any(c.startswith(start) for c in every)] == []


def test_most_commands_are_run() -> None:
    every = [one.command for document in DOCUMENTS for one in shown(document)]
    assert sum(why_not(command) is None for command in every) > len(every) / 2


@pytest.mark.slow
@needs_tools
def test_every_command_of_the_local_aws_prints_what_its_page_shows(tmp_path: Path) -> None:
    commands = to_run(LOCAL)
    with cutwatch_local("--skip-waits") as server:
        reader = Reader(
            tmp_path, {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        )
        typed = reader.type([one.command for one in commands])
    assert failed(typed, [one.command for one in commands]) == ""
    assert different(commands, typed) == []


@pytest.mark.slow
def test_every_command_of_the_page_on_tuning_prints_what_it_shows(tmp_path: Path) -> None:
    commands = to_run(TUNING)
    typed = Reader(tmp_path, {}).type([one.command for one in commands])
    assert failed(typed, [one.command for one in commands]) == ""
    assert different(commands, typed) == []


@pytest.mark.slow
@needs_tools
def test_every_command_of_the_other_pages_works(tmp_path: Path) -> None:
    with watching() as (aws, stack):
        measure_balancers(aws)
        bury_event(aws, stack.outputs["UndeliveredEventsQueueUrl"])
        reader = Reader(tmp_path, account(aws))
        write_metrics(tmp_path)
        wrong = ""
        for document in OTHERS:
            commands = [filled(one.command, placeholders(stack)) for one in to_run(document)]
            wrong += failed(reader.type(commands), commands)
        queue = stack.outputs["UndeliveredEventsQueueUrl"]
        left = aws.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    assert wrong == ""
    assert left == []
    written = (tmp_path / "functions" / "detectors.yaml").read_text()
    assert {each.namespace for each in parse_configuration(written).detectors} == {"AWS/Lambda"}
    for page in ("build/report.html", "results", "scored"):
        assert (tmp_path / page).exists(), page


@pytest.mark.slow
@needs_tools
def test_who_follows_the_page_for_operators_leaves_nothing_but_what_it_says(tmp_path: Path) -> None:
    with watching() as (aws, stack):
        absent = {kind for kind, names in _left(aws).items() if not names}
        before = placeholders(stack)
        commands = [filled(one.command, before) for one in to_run(OPERATIONS)]
        typed = Reader(tmp_path, account(aws)).type(commands)
        left = _left(aws)

    assert absent == set()
    assert failed(typed, commands) == ""
    assert before["BUCKET"] in "".join(one.printed for one in typed)
    assert {kind: names for kind, names in left.items() if names} == {}
    assert json.loads((tmp_path / "read.json").read_text())["Version"] == "2012-10-17"


def _left(aws: LocalAws) -> dict[str, list[str]]:
    """What is in the account, less what the page says stays: artefacts, SageMaker's logs, Step Functions' rule."""

    def listed(
        service: str, operation: str, key: str, name: str | None, **request: Any
    ) -> list[str]:
        answer = getattr(aws.client(service), operation)(**request)[key]
        names = [each[name] if name else each for each in answer]
        return [each for each in names if not each.startswith(_SHARED)]

    return {
        "stacks": listed("cloudformation", "describe_stacks", "Stacks", "StackName"),
        "buckets": listed("s3", "list_buckets", "Buckets", "Name"),
        "tables": listed("dynamodb", "list_tables", "TableNames", None),
        "functions": listed("lambda", "list_functions", "Functions", "FunctionName"),
        "layers": listed("lambda", "list_layers", "Layers", "LayerName"),
        "state machines": listed("stepfunctions", "list_state_machines", "stateMachines", "name"),
        "rules": listed("events", "list_rules", "Rules", "Name"),
        "topics": listed("sns", "list_topics", "Topics", "TopicArn"),
        "subscriptions": listed("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
        "queues": aws.client("sqs").list_queues().get("QueueUrls", []),
        "alarms": listed("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
        "dashboards": listed("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
        "log groups": listed("logs", "describe_log_groups", "logGroups", "logGroupName"),
        "roles": listed("iam", "list_roles", "Roles", "RoleName"),
        "policies": listed("iam", "list_policies", "Policies", "PolicyName", Scope="Local"),
        "models": listed("sagemaker", "list_models", "Models", "ModelName"),
    }


_SHARED = ("local-artefacts-", "/aws/sagemaker/", "StepFunctionsGetEventsFor")
