"""`make account-check`, with the real SAM CLI, against the local AWS: it deploys, compares and leaves nothing behind."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping

import pytest

from cutwatch_cli.account_check import sam
from cutwatch_cli.account_check.facts import FACTS
from cutwatch_cli.account_check.plan import STEPS
from cutwatch_cli.account_check.throwaway import Throwaway
from cutwatch_cli.replay.application import staged
from cutwatch_cli.stacks.account import Account
from localaws import Fault, LocalAws
from tests.support.local_server import BIN
from tests.support.operator_environment import operator_environment
from tests.support.project import PROJECT
from tests.support.python_of_lambda import has_python_of_lambda

STACK = "throwaway"
DENIED = "AccessDenied"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


def check(
    aws: LocalAws, *options: str, stack: str = STACK, answer: str = ""
) -> subprocess.CompletedProcess[str]:
    """The endpoint and the credentials are explicit: this command must never reach a real account from a test."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        [BIN / "cutwatch", "account-check", "--stack-name", stack, "--skip-build", *options],
        env=own | operator_environment(aws),
        input=answer,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def left_behind(aws: LocalAws) -> Mapping[str, list[str]]:
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    logs = aws.client("logs").describe_log_groups()["logGroups"]
    found = {
        "stacks": [each["StackName"] for each in stacks],
        "buckets": [each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]],
        "models": [each["ModelName"] for each in aws.client("sagemaker").list_models()["Models"]],
        "tables": aws.client("dynamodb").list_tables()["TableNames"],
        "roles": [each["RoleName"] for each in aws.client("iam").list_roles()["Roles"]],
        "alarms": [each["AlarmName"] for each in alarms],
        "log groups": [each["logGroupName"] for each in logs],
    }
    return {kind: names for kind, names in found.items() if names}


def test_every_fact_holds_on_the_local_aws_and_nothing_remains(aws: LocalAws) -> None:
    answer = check(aws, "--yes")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    for fact in FACTS:
        assert f"  ok       {fact}: " in answer.stdout
    assert answer.stdout.splitlines()[-1] == "Every fact holds; nothing remains."
    assert left_behind(aws) == {}


def test_every_step_says_what_it_costs_before_anything_is_made(aws: LocalAws) -> None:
    aws.calls.clear()
    answer = check(aws, answer="n\n")

    assert answer.returncode == 1
    for step in (*STEPS, "together"):
        assert re.search(rf"^{step} +\$ *\d+\.\d+  ", answer.stdout, re.MULTILINE), step
    assert "Continue? [y/N]" in answer.stdout
    assert {call.operation for call in aws.calls} == {"GetCallerIdentity", "DescribeStacks"}


def test_everything_is_removed_after_a_failure_and_what_cannot_be_is_named(aws: LocalAws) -> None:
    publishing = Fault("cloudwatch", "PutMetricData", error=DENIED)
    removing = Fault("sagemaker", "ListModels", error=DENIED)
    with aws.faults.during(publishing), aws.faults.during(removing):
        answer = check(aws, "--yes")

    assert answer.returncode == 1
    assert "FAILED: these credentials lack the permission for PutMetricData" in answer.stdout
    assert "REMAINS SageMaker models: these credentials lack" in answer.stdout
    assert "remove what remains by hand" in answer.stdout.splitlines()[-1]
    assert left_behind(aws) == {}


def test_a_deployment_that_fails_is_removed(aws: LocalAws) -> None:
    with aws.faults.during(Fault("cloudformation", "ExecuteChangeSet", error=DENIED)):
        answer = check(aws, "--yes")

    assert answer.returncode == 1
    assert "FAILED: sam deploy failed:" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "The check could not be completed; nothing remains."
    assert left_behind(aws) == {}


def test_a_fact_that_differs_is_named_with_what_was_seen(aws: LocalAws) -> None:
    otherwise = Fault(
        "stepfunctions", "StartExecution", error="ValidationException", when=_is_not_json
    )
    with aws.faults.during(otherwise):
        answer = check(aws, "--yes")

    assert answer.returncode == 1
    differs = "invalid-json: refused as ValidationException, expected InvalidExecutionInput"
    assert f"  DIFFERS  {differs}" in answer.stdout
    assert answer.stdout.splitlines()[-1] == "1 fact differs: invalid-json; nothing remains."
    assert left_behind(aws) == {}


def _is_not_json(parameters: Mapping[str, object]) -> bool:
    return parameters.get("input") == "{"


def test_a_stack_that_exists_is_left_alone(aws: LocalAws) -> None:
    cloudformation = aws.client("cloudformation")
    template = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    cloudformation.create_stack(StackName=STACK, TemplateBody=template)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1}
    )
    try:
        answer = check(aws, "--yes")
        assert (answer.returncode, answer.stdout) == (2, "")
        assert f"stack '{STACK}' exists (CREATE_COMPLETE)" in answer.stderr
        assert left_behind(aws) == {"stacks": [STACK]}
    finally:
        cloudformation.delete_stack(StackName=STACK)


@pytest.mark.skipif(not has_python_of_lambda(), reason="sam build needs Python 3.13 on the PATH")
def test_the_application_is_built_with_the_detectors_of_the_check() -> None:
    """Without its dependencies: tests/e2e/test_sam_build.py builds those."""
    check_of = Throwaway(Account.reached_by(None, "us-east-1"), "123456789012", STACK)
    with staged(check_of.detectors, check_of.settings) as template:
        for requirements in template.parent.rglob("requirements.txt"):
            requirements.write_text("")
        built = sam.build(template, check_of)
        assert built.is_file()
        detectors = (built.parent / "ListDetectors" / "detectors.yaml").read_text()
        assert all(each.name in detectors for each in check_of.detectors)


@pytest.mark.parametrize("name", ["", "1st", "a" * 26, "under_score"])
def test_a_name_that_names_of_roles_cannot_hold_is_refused(aws: LocalAws, name: str) -> None:
    answer = check(aws, "--yes", stack=name)

    assert answer.returncode == 2
    assert "expected a letter, then up to 24 letters" in answer.stderr


def test_make_runs_the_check_and_its_help_has_a_line() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    assert re.search(r"^account-check: setup ## .+", makefile, re.MULTILINE)


def test_every_fact_stands_in_the_document_and_the_other_way_round() -> None:
    document = (PROJECT / "docs" / "reality.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", document, re.MULTILINE)) == set(FACTS)
