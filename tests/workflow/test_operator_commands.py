"""What an operator asks of a deployed fleet by the command line, as a person would, on the local AWS."""

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from typer.testing import CliRunner, Result

from cutwatch_cli.main import app
from localaws.faults import Fault
from tests.support.fleet import FIRST_TRANSFORM, WEEK, Fleet, detector, fleet, with_spike
from tests.support.stack import FUNCTION, Stack

TEMPLATE_RESOURCES = Stack().template["Resources"]
FIRST_RUN = "transform-20260608T030000Z"
NEXT_WEEK = FIRST_TRANSFORM + WEEK
# The local AWS lets pass the time-out of every training that a transform has asked for.
LONG = ("--since", "60d")


@pytest.fixture(scope="module")
def shop() -> Iterator[Fleet]:
    """Two detectors with a spike in each week, and one that watches nothing; trained, and the first week scored."""
    watched = [detector(name, engine="lambda") for name in ("checkout", "orders", "ghost")]
    with fleet(watched) as shop:
        for each in watched[:2]:
            values = with_spike(FIRST_TRANSFORM - timedelta(days=2))
            shop.load(each, values.clip(max=390.0) if each.name == "orders" else values)
        shop.train()
        shop.transform()
        yield shop


@pytest.fixture(autouse=True)
def _account(shop: Fleet) -> Iterator[None]:
    """Credentials and configuration of this test alone."""
    with patch.dict(os.environ, shop.operators_environment()):
        yield


def cutwatch(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(code: int, *arguments: str) -> Any:
    result = cutwatch(*arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def assert_refused(result: Result, *words: str, code: int = 2) -> None:
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("cutwatch: ")
    for word in words:
        assert word in line


def statuses() -> dict[str, Any]:
    return {each["detector"]: each for each in answer(1, "status")["detectors"]}


def writes(shop: Fleet) -> int:
    operations = ("dynamodb.PutItem", "dynamodb.DeleteItem", "stepfunctions.StartExecution")
    return sum(shop.aws.calls.count(operation) for operation in operations)


@pytest.mark.slow
def test_status_says_of_each_detector_how_it_is_and_those_with_problems_come_first() -> None:
    found = statuses()

    assert list(found) == ["ghost", "checkout", "orders"]
    assert found["checkout"]["engine"] == "lambda"
    assert found["checkout"]["last_outcome"] == "PUBLISHED"
    assert found["checkout"]["problems"] == []
    assert found["ghost"]["problems"][0] == "no model"
    assert "found no data" in found["ghost"]["problems"][1]


def test_a_person_reads_the_same_in_a_table_with_the_problems_below() -> None:
    result = cutwatch("status")

    assert result.exit_code == 1
    assert "ghost: no model\n" in result.stdout
    assert "3 detectors, 1 with problems." in result.stdout


def test_only_the_problems_are_shown_if_that_is_asked_for() -> None:
    assert [each["detector"] for each in answer(1, "status", "--problems")["detectors"]] == [
        "ghost"
    ]


def test_a_watermark_that_transforms_no_longer_move_is_a_problem(shop: Fleet) -> None:
    with patch("cutwatch_cli.stacks.deployment.longest_gap", return_value=timedelta(minutes=1)):
        shop.aws.clock.advance(300)
        (problem,) = statuses()["checkout"]["problems"]
    assert "more than two transform intervals" in problem


def test_events_are_told_newest_first_with_what_would_have_been_usual() -> None:
    found = answer(0, "events", *LONG)

    begins = [each["start"] for each in found]
    assert begins == sorted(begins, reverse=True)
    assert {each["detector"] for each in found} == {"checkout", "orders"}
    spike = next(each for each in found if each["value"] == 400)
    assert spike["severity"] == "high"
    assert spike["expected_low"] < spike["expected"] < spike["expected_high"] < 200


def test_events_of_one_detector_are_told_to_a_person() -> None:
    result = cutwatch("events", "checkout", *LONG)

    assert result.exit_code == 0
    assert "2026-06-06 03:0" in result.stdout
    assert "orders" not in result.stdout


def test_a_time_in_which_no_transform_ran_is_told(shop: Fleet) -> None:
    shop.aws.clock.advance(7200)
    assert_refused(cutwatch("events", "--since", "1h"), "no transform ran since", code=1)


def test_a_started_run_is_watched_to_its_verdict() -> None:
    result = cutwatch("start", "training", "--detector", "checkout", "--wait")

    assert result.exit_code == 0, result.output
    assert "1 of 1 detectors done" in result.stderr
    assert result.stdout == "SUCCEEDED: 1 TRAINED; 0 new events\n"
    assert set(statuses()) == {"ghost", "checkout", "orders"}


def test_a_run_that_has_nothing_to_do_ends_with_an_exit_code_that_says_so() -> None:
    result = cutwatch("start", "training", "--detector", "ghost", "--wait")

    assert result.exit_code == 1
    assert "SUCCEEDED: 1 NO_DATA" in result.stdout
    assert "trained and published nothing; see: cutwatch logs training-" in result.stderr


def test_the_environment_of_every_function_is_written_for_sam(shop: Fleet, tmp_path: Path) -> None:
    written = tmp_path / "environment.json"

    result = cutwatch("environment", "--output", str(written), "--endpoint-url", "http://x:1")

    assert result.exit_code == 0, result.output
    found = json.loads(written.read_text())
    assert found.keys() == {
        name for name, each in TEMPLATE_RESOURCES.items() if each["Type"] == FUNCTION
    }
    for variables in found.values():
        assert variables["AWS_ENDPOINT_URL"] == "http://x:1"
        assert variables["BUCKET_NAME"] == shop.stack.outputs["DataBucketName"]


def test_a_run_that_fails_says_why_and_its_execution_has_logs() -> None:
    started = answer(1, "start", "transform", "--detector", "checkuot", "--new", "--wait")

    assert started["status"] == "FAILED"
    assert started["reason"].startswith("InvalidInput: detectors names 'checkuot'")
    for name in (started["execution"], started["execution"].rpartition(":")[2]):
        logged = cutwatch("logs", name)
        assert logged.exit_code == 0, logged.output
        assert "ERROR   ListDetectors" in logged.stdout
        assert logged.stdout.splitlines()[-1].startswith("FAILED: InvalidInput")


def test_an_execution_whose_input_was_refused_has_logs(shop: Fleet) -> None:
    execution = shop.stack.start("TransformStateMachine", {"detectors": "checkout"})
    execution.wait()

    logged = cutwatch("logs", execution.arn)
    assert logged.exit_code == 0, logged.output
    assert "expected a list of detector names" in logged.stdout


def test_a_started_run_that_nobody_waits_for_is_named() -> None:
    result = cutwatch("start", "training", "--detector", "ghost")

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("training-2026")


def test_a_run_is_repeated_by_its_time_and_publishes_nothing_twice() -> None:
    time = f"{FIRST_TRANSFORM:%Y-%m-%dT%H:%M:%SZ}"

    verdict = answer(0, "start", "transform", "--time", time, "--detector", "orders", "--wait")

    assert verdict["run"] == FIRST_RUN
    assert verdict["summary"]["statuses"] == {"PUBLISHED": 1}


def test_the_log_of_a_run_is_told_by_time_from_its_listing_to_its_summary() -> None:
    result = cutwatch("logs", FIRST_RUN)

    assert result.exit_code == 0, result.output
    lines = [line for line in result.stdout.splitlines() if line.startswith("2026")]
    assert lines == sorted(lines, key=lambda line: line[:19])
    assert "ListDetectors" in lines[0]
    assert "SummarizeRun" in lines[-1]


def test_the_log_of_a_transform_follows_into_the_training_that_it_started() -> None:
    """`ghost` has no model, so the transform has it trained, for which there is no data."""
    result = cutwatch("logs", FIRST_RUN)
    training = FIRST_RUN.replace("transform", "training") + "-on-demand"

    told = [line for line in result.stdout.splitlines() if not line.startswith("2026")]
    assert [line.split(": ")[:3] for line in told] == [
        [training, "ghost", "NO_DATA"],
        [FIRST_RUN, "ghost", "NO_DATA"],
    ]
    lines = cutwatch("logs", FIRST_RUN, "--json").stdout.splitlines()
    assert {training, FIRST_RUN} <= {json.loads(line).get("run") for line in lines}


def test_a_run_without_a_log_is_told() -> None:
    assert_refused(cutwatch("logs", "transform-20990101T000000Z"), "no log line", code=1)
    assert_refused(cutwatch("logs", "yesterday"), "neither a run", "nor an execution")


@pytest.mark.slow
def test_nobody_is_told_of_a_silenced_detectors_events(shop: Fleet) -> None:
    for name in ("checkout", "orders"):
        silenced = cutwatch("silence", name, "--for", "30d", "--reason", "a known [sale]")
        assert silenced.exit_code == 0, silenced.output
        assert "a known [sale]" in silenced.stdout
    listed = answer(0, "silence", "--list")
    assert [each["detector"] for each in listed] == ["checkout", "orders"]
    assert statuses()["orders"]["silenced_until"] == listed[1]["until"]

    with_news = with_spike(NEXT_WEEK - timedelta(days=2))
    for name in ("checkout", "orders"):
        shop.load(detector(name), with_news)
    summary = shop.transform(NEXT_WEEK).wait().output

    assert summary["new_events"] > 0
    assert summary["notified"] is False
    for name in ("checkout", "orders"):
        assert cutwatch("silence", "--lift", name).stdout == f"{name} is no longer silenced.\n"
    assert cutwatch("silence", "--list").stdout == "No detector or stream is silenced.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["events", "chekout"], ["no detector 'chekout'; did you mean 'checkout'?"]),
        (["start", "training", "--detector", "chekout"], ["did you mean 'checkout'?", "--new"]),
        (["start", "nothing"], ["expected training or transform"]),
        (["start", "transform", "--time", "soon"], ["--time is 'soon'", "ISO 8601"]),
        (["start", "transform", "--time", "2099-01-01T00:00Z"], ["is in the future"]),
        (["silence", "chekout", "--for", "1d", "--reason", "x"], ["did you mean 'checkout'?"]),
        (["silence", "--lift", "checkout"], ["no silenced detector 'checkout'"]),
        (["silence", "checkout"], ["--for and --reason are required"]),
        (["silence", "checkout", "--for", "91d", "--reason", "x"], ["at most 90d"]),
        (["silence", "checkout", "--for", "soon", "--reason", "x"], ["--for soon: expected"]),
        (["silence"], ["expected one of DETECTOR"]),
        (["silence", "--list", "--lift", "checkout"], ["expected one of DETECTOR"]),
        (["silence", "--list", "--for", "3d"], ["require DETECTOR"]),
        (["events", "--since", "yesterday"], ["--since yesterday: expected"]),
        (["status", "--stack", "cutwach"], ["no stack 'cutwach' in region us-east-1"]),
        (["status", "--region", "eu-west-1"], ["no stack 'cutwatch' in region eu-west-1"]),
        (["status", "--profile", "nobody"], ["--profile", "nobody"]),
    ],
)
def test_a_mistake_is_told_in_one_line_and_changes_nothing(
    shop: Fleet, arguments: list[str], words: list[str]
) -> None:
    before = writes(shop)
    assert_refused(cutwatch(*arguments), *words)
    assert writes(shop) == before


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "action"),
    [
        ("cloudformation", "DescribeStacks", ["status"], "cloudformation:DescribeStacks"),
        ("dynamodb", "Query", ["status"], "dynamodb:Query"),
        ("s3", "ListObjectsV2", ["events"], "s3:ListBucket"),
        ("stepfunctions", "StartExecution", ["start", "training"], "states:StartExecution"),
        ("logs", "FilterLogEvents", ["logs", FIRST_RUN], "logs:FilterLogEvents"),
        (
            "dynamodb",
            "PutItem",
            ["silence", "orders", "--for", "1d", "--reason", "x"],
            "dynamodb:PutItem",
        ),
    ],
)
def test_a_missing_permission_is_named(
    shop: Fleet, service: str, operation: str, arguments: list[str], action: str
) -> None:
    with shop.aws.faults.during(Fault(service, operation, error="AccessDenied", status=403)):
        assert_refused(cutwatch(*arguments), f"lack the permission {action}")


def test_the_permission_that_aws_itself_names_comes_first(shop: Fleet) -> None:
    said = "User: x is not authorized to perform: kms:Decrypt on resource: y"
    refusal = Fault("dynamodb", "Query", error="AccessDeniedException", message=said, status=400)
    with shop.aws.faults.during(refusal):
        assert_refused(cutwatch("status"), "lack the permission kms:Decrypt")


def test_without_credentials_or_a_region_nothing_is_asked() -> None:
    with patch.dict(os.environ):
        os.environ.pop("AWS_ACCESS_KEY_ID")
        assert_refused(cutwatch("status"), "credentials")
    with patch.dict(os.environ):
        os.environ.pop("AWS_DEFAULT_REGION")
        assert_refused(cutwatch("status"), "no region", "--region")


def test_the_regions_only_stack_needs_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUTWATCH_STACK")
    assert answer(1, "status")["stack"] == "cutwatch"


def test_a_configured_stack_that_is_not_there_is_told_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUTWATCH_STACK")
    config = '[default.deploy.parameters]\nstack_name = "cutwatch-dev"\n'
    (tmp_path / "samconfig.toml").write_text(config)

    words = ("'cutwatch-dev', which samconfig.toml names,", "Cutwatch stacks there: cutwatch")
    assert_refused(cutwatch("status"), *words)
    assert answer(1, "status", "--stack", "cutwatch")["stack"] == "cutwatch"


TOPIC = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})


def test_a_stack_that_is_half_deployed_is_told_with_its_status(shop: Fleet) -> None:
    shop.aws.client("cloudformation").create_change_set(
        StackName="half", ChangeSetName="first", ChangeSetType="CREATE", TemplateBody=TOPIC
    )
    assert_refused(cutwatch("status", "--stack", "half"), "REVIEW_IN_PROGRESS", "not completely")


def test_a_stack_of_something_else_is_told(shop: Fleet) -> None:
    cloudformation = shop.aws.client("cloudformation")
    cloudformation.create_stack(StackName="other", TemplateBody=TOPIC)
    cloudformation.get_waiter("stack_create_complete").wait(StackName="other")
    assert_refused(cutwatch("status", "--stack", "other"), "no output RegistryTableName")
