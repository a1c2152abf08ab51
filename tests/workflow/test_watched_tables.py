"""A watched table whole on the local AWS: trained, deployed, scored, trained again, rolled back."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.support.command_line import cutwatch
from tests.support.operator_environment import operator_environment
from tests.support.policy_documents import acting_in, role_with
from tests.support.table_application import ENDPOINT_SECONDS, PARAMETERS, CutoffWatch, items, rides
from tests.support.watched_tables import stream_record

pytestmark = pytest.mark.slow
SCALED = {"EndpointMaxInstanceCount": "4", "InvocationsPerInstance": "700"}

# As docs/operations.md wants it for viewers.
STACK = "cutwatch-taxi"
READER = "read-read-streams"

Rides = tuple[Any, CutoffWatch]


@pytest.fixture(scope="module")
def trained() -> Iterator[Rides]:
    """A table with one trained and deployed model."""
    with rides(parameters={**PARAMETERS, **SCALED}, stack_name=STACK) as (application, watch):
        ended = application.run({"time": "2026-11-01T03:00:00Z"}).wait()
        assert ended.status == "SUCCEEDED", ended.cause
        yield application, watch


@pytest.fixture(autouse=True)
def _forget(trained: Rides) -> Iterator[None]:
    application, watch = trained
    yield
    application.aws.faults.clear()
    application.aws.sagemaker.forget()
    assert watch.without == []
    assert watch.looks > 100


def serving(application: Any) -> list[str]:
    return list(application.aws.variants_in_service().get(STACK, []))


def scaled(application: Any) -> list[str]:
    """The resources that are scaled automatically, all between one and four instances."""
    found = application.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )["ScalableTargets"]
    assert {(each["MinCapacity"], each["MaxCapacity"]) for each in found} <= {(1, 4)}
    return [each["ResourceId"] for each in found]


def train(application: Any, day: int) -> Any:
    return application.run({"time": f"2026-11-{day:02d}T03:00:00Z"}).wait()


def test_the_first_training_deploys_a_model_with_its_cutoff(trained: Rides) -> None:
    application, _ = trained
    [cutoff] = application.cutoffs
    assert serving(application) == [cutoff.variant]
    assert cutoff.rows == 1_200
    assert cutoff.value == pytest.approx(cutoff.mean + 3 * cutoff.deviation)
    [(median, low, high)] = cutoff.ranges
    assert low < median < high
    assert scaled(application) == [f"endpoint/{STACK}/variant/{cutoff.variant}"]


def test_temporary_data_of_the_run_is_deleted_and_the_artefact_kept(trained: Rides) -> None:
    application, _ = trained
    bucket = application.base.outputs["DataBucketName"]
    listed = application.aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    keys = [each["Key"] for each in listed]
    assert any(key.startswith("models/taxi/") for key in keys)
    assert not any(key.startswith("scores/") for key in keys)
    assert [key.rpartition("/")[2] for key in keys if key.startswith("data/")] == [
        "preparation.json"
    ]


def test_a_repetition_of_a_run_trains_and_deploys_nothing_again(trained: Rides) -> None:
    application, _ = trained
    before, calls = serving(application), application.aws.calls
    calls.clear()
    ended = train(application, 1)
    assert ended.status == "SUCCEEDED", ended.cause
    assert serving(application) == before
    assert calls.of("sagemaker", "UpdateEndpoint") == []


def test_an_anomalous_change_is_mailed_once_and_a_broken_item_kept_with_its_reason(
    trained: Rides,
) -> None:
    application, _ = trained
    at = application.aws.clock.now().timestamp() - 60
    records = [
        stream_record(1_000, 1, at=at),
        stream_record(9_000, 2, item="2", at=at),
        stream_record({"S": "many"}, 3, item="3", at=at),
    ]
    for _ in range(2):
        assert application.score(records) == {"batchItemFailures": []}
    subjects = [mail.subject for mail in application.aws.mails.all()]
    assert sum("taxi: ridecount at 9,000" in each for each in subjects) == 1
    url = application.stack.outputs["RejectedRecordsQueueUrl"]
    [message] = application.aws.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10)[
        "Messages"
    ]
    letter = json.loads(message["Body"])
    assert (letter["reason"], letter["sequence_number"]) == ("not a number", "3")


@pytest.fixture
def commands(trained: Rides, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs operators' commands on the base stack."""
    for name, value in operator_environment(trained[0].aws).items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: cutwatch(*arguments, "--stack", "cutwatch")


def test_status_shows_the_table_with_its_endpoint_model_and_newest_training(
    trained: Rides, commands: Callable[..., Result]
) -> None:
    application, _ = trained
    result = commands("status", "--json")
    [table] = json.loads(result.stdout)["tables"]
    [cutoff] = application.cutoffs
    assert (table["table"], table["endpoint_status"]) == ("taxi", "InService")
    assert (table["model"], table["trained_rows"]) == (cutoff.variant, 1_200)
    assert table["newest_execution"] == "SUCCEEDED"
    assert (table["open_incidents"], table["incidents_last_week"]) == (1, 1)
    assert table["problems"] == []
    heading, row, *_, verdict = commands("status").stdout.splitlines()
    assert heading.split()[:2] == ["Table", "Endpoint"]
    assert row.split()[:3] == ["taxi", "InService", "SUCCEEDED"]
    assert verdict == "1 table, none with problems."


def test_who_may_read_streams_sees_the_model_of_a_table(
    trained: Rides, commands: Callable[..., Result]
) -> None:
    aws = trained[0].aws
    role_with(aws, "read", "read-streams", stack="cutwatch")
    with acting_in(READER):
        result = commands("status", "--json")
        assert json.loads(result.stdout)["tables"][0]["problems"] == [], result.output
    aws.client("iam").delete_role_policy(RoleName=READER, PolicyName="read-streams")
    with acting_in(READER):
        [table] = json.loads(commands("status", "--json").stdout)["tables"]
    [problem] = table["problems"]
    assert problem.startswith("status not readable: these credentials lack the permission ")


def test_events_and_logs_of_a_table_name_its_incident_and_its_rejected_item(
    commands: Callable[..., Result],
) -> None:
    [incident] = json.loads(commands("events", "taxi", "--json", "--since", "1d").stdout)
    assert incident["change"] == "began"
    lines = commands("logs", "taxi", "--since", "1d").stdout.splitlines()
    assert any("rejected" in line for line in lines)


def test_a_report_of_a_table_has_its_scores_and_its_incident(
    commands: Callable[..., Result], tmp_path: Path
) -> None:
    page = tmp_path / "report.html"
    result = commands("report", "taxi", "--since", "1d", "--output", str(page))
    assert result.exit_code == 0, result.output
    assert "ridecount" in page.read_text()


def test_a_second_training_changes_model_and_cutoff_together_and_rolling_back_returns(
    trained: Rides,
) -> None:
    application, _ = trained
    [first] = serving(application)
    application.put(items(300, seed=2))
    assert train(application, 8).status == "SUCCEEDED"
    [second] = serving(application)
    assert second != first
    assert {each.variant for each in application.cutoffs} == {first, second}
    assert application.run({"roll_back": True}).wait().status == "SUCCEEDED"
    assert serving(application) == [first]
    assert scaled(application) == [f"endpoint/{STACK}/variant/{first}"]
    assert application.run({"roll_back": second}).wait().status == "SUCCEEDED"
    assert serving(application) == [second]
    assert train(application, 15).status == "SUCCEEDED"
    assert len(application.cutoffs) == 2
    assert first not in {each.variant for each in application.cutoffs}


def test_a_failed_job_leaves_the_model_before_in_service_and_is_a_problem_of_the_table(
    trained: Rides, commands: Callable[..., Result]
) -> None:
    application, _ = trained
    before = serving(application)
    application.aws.sagemaker.fail(
        lambda name: name.startswith("cutwatch-table-taxi-202611220300"), "no capacity"
    )
    ended = train(application, 22)
    assert (ended.status, ended.error) == ("FAILED", "TrainingJobFailed")
    assert serving(application) == before
    [table] = json.loads(commands("status", "--json").stdout)["tables"]
    assert table["newest_execution"] == "FAILED"
    assert any(
        "the newest training ended FAILED: TrainingJobFailed" in each for each in table["problems"]
    )


def test_an_alarm_rolls_the_new_model_back_while_it_bakes(trained: Rides) -> None:
    application, _ = trained
    aws, before = application.aws, serving(application)
    failing = [
        {
            "MetricName": "RecordsFailed",
            "Dimensions": [{"Name": "Table", "Value": "taxi"}],
            "Timestamp": aws.clock.now() + timedelta(minutes=minute),
            "Value": 3.0,
        }
        for minute in range(60)
    ]
    aws.client("cloudwatch").put_metric_data(Namespace="Cutwatch", MetricData=failing)
    ended = train(application, 23)
    assert serving(application) == before
    assert (ended.status, ended.error) == ("FAILED", "DeploymentRolledBack")
    assert "the model before serves" in ended.cause
    assert scaled(application) == [f"endpoint/{STACK}/variant/{before[0]}"]
    aws.clock.advance(3_600)


def test_two_deployments_at_once_come_one_after_the_other(trained: Rides) -> None:
    application, _ = trained
    both = [application.run({"time": f"2026-11-2{n}T03:00:00Z"}) for n in (4, 5)]
    ended = [each.wait() for each in both]
    assert [each.status for each in ended] == ["SUCCEEDED", "SUCCEEDED"]
    assert len(serving(application)) == 1


def test_a_hanging_deployment_ends_at_its_deadline_with_the_reason(trained: Rides) -> None:
    application, _ = trained
    before = serving(application)
    seen: list[str] = []

    def is_deployment(name: str) -> bool:
        """Jobs and the configuration have one name: the third time is the deployment's."""
        if name.startswith("cutwatch-table-taxi-202611260300"):
            seen.append(name)
        return len(seen) == 3 and name == seen[-1]

    application.aws.sagemaker.hang(is_deployment)
    ended = train(application, 26)
    assert (ended.status, ended.error) == ("FAILED", "DeploymentOverdue")
    assert "was still Updating at its deadline" in ended.cause
    assert serving(application) == before
    assert ENDPOINT_SECONDS < 3_600


# Statement and action, and why no test here uses them.
NOT_SEEN_HERE = {
    (
        "SeeConfiguration",
        "sagemaker:DescribeEndpointConfig",
    ): "the local Auto Scaling asks for the endpoint only",
    ("ChangeVariant", "sagemaker:DescribeEndpoint"): "allowed by a statement of the role's own",
    (
        "KeepAlarms",
        "cloudwatch:*",
    ): "of the role that has scaled; no update is refused, so no other scales again",
    ("ScaleVariant", "application-autoscaling:*"): "the same",
    ("ChangeVariant", "sagemaker:*"): "the same",
    ("HaveItsRole", "iam:*"): "the same",
    ("DeclareLostRecords", "sqs:SendMessage"): "no change is given up",
    ("DeliverLogs", "logs:*"): "Step Functions' own calls",
    ("Trace", "xray:*"): "the local AWS has no traces",
    (
        "FindStateAndTellMissingFromForbidden",
        "s3:ListBucket",
    ): "S3 looks for it when an object is missing",
    ("Log", "logs:*"): "the local Lambda writes logs itself",
    ("*", "sagemaker:AddTags"): "the stack has no tags",
    (
        "SeeAndReplaceFailedEndpoint",
        "sagemaker:DeleteEndpoint",
    ): "no endpoint fails when it is created",
    ("StartJob", "sagemaker:Describe*"): "no start is repeated while its job runs",
    ("StopJob", "sagemaker:Stop*"): "no job is overdue",
    ("*WaitForQuota", "dynamodb:*"): "no quota is busy, and no model is missing",
    ("Start", "states:StartExecution"): "the schedule does not fire",
    ("InvokeItsFunctions", "lambda:InvokeFunction"): "the functions that stop jobs",
    ("Mail", "sns:Publish"): "notices to operators",
    ("KeepState", "s3:*"): "Close Table Incidents; tests/faults/test_table_faults.py invokes it",
    ("PutIncidentsOnTheBus", "events:PutEvents"): "the same",
    ("RecordIncidents", "dynamodb:*"): "the same",
    ("KeepRejectedRecords", "sqs:SendMessage"): "the same",
}


def test_no_call_is_denied_and_nothing_is_granted_that_nothing_uses(trained: Rides) -> None:
    application, _ = trained
    permissions = application.aws.permissions
    roles = {
        name
        for name in application.stack.resources.values()
        if name.startswith(f"{STACK}-") and "Role-" in name
    }
    assert len(roles) == 17
    granted = {use for role in roles for use in permissions.granted(role)}
    unused = {
        (use.role.split("-")[2], use.statement, use.action)
        for use in granted - permissions.uses
        if not any(
            fnmatchcase(use.statement, statement) and fnmatchcase(use.action, action)
            for statement, action in NOT_SEEN_HERE
        )
    }
    denied = [
        call
        for call in application.aws.calls
        if call.error_code and "Denied" in call.error_code and call.role != READER
    ]
    assert denied == []
    assert sorted(unused) == []
