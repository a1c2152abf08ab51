"""A table that is prepared by Glue, whole on the local AWS: exported, read by Spark, trained, deployed."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest

from cutwatch_cli.tables.application import WatchedApplication, watched_application
from localaws import Fault, LocalAws
from tests.spark.conftest import PYTHON
from tests.support.table_application import DECLARATION, PARAMETERS, items

pytestmark = pytest.mark.slow

JOB = "taxi-prepare-records"
# Starting Spark takes a busy machine its time.
LONGEST_SECONDS = 540


@pytest.fixture(scope="module")
def application() -> Iterator[WatchedApplication]:
    """A table with items, of which one has no row, and point in time recovery."""
    with LocalAws(spark_python=PYTHON) as aws:
        aws.exports.seconds = 600
        parameters = {
            **PARAMETERS,
            "Preparation": "glue",
            "ArtefactsBucket": f"local-artefacts-{aws.region}",
        }
        with watched_application(aws, DECLARATION, parameters) as deployed:
            deployed.put([*items(1_200), {"id": {"S": "broken"}}])
            recover(deployed, on=True)
            yield deployed


@pytest.fixture(autouse=True)
def _forget(application: WatchedApplication) -> Iterator[None]:
    yield
    application.aws.faults.clear()
    application.aws.exports.forget()
    application.aws.glue.forget()


def recover(application: WatchedApplication, *, on: bool) -> None:
    specification = {"PointInTimeRecoveryEnabled": on}
    application.client("dynamodb").update_continuous_backups(
        TableName=application.table, PointInTimeRecoverySpecification=specification
    )


def train(application: WatchedApplication, day: int) -> Any:
    return application.run({"time": f"2026-11-{day:02d}T03:00:00Z"}).wait(LONGEST_SECONDS)


def keys(application: WatchedApplication) -> list[str]:
    bucket = application.base.outputs["DataBucketName"]
    listed = application.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    return [each["Key"] for each in listed]


def test_a_table_is_exported_prepared_by_spark_trained_and_deployed(
    application: WatchedApplication,
) -> None:
    calls = application.aws.calls
    faults = (
        # The answers are lost of calls that have done their work; a repetition starts nothing twice.
        Fault("dynamodb", "ExportTableToPointInTime", reset="after", times=3),
        Fault("glue", "StartJobRun", reset="after", times=3),
    )
    for fault in faults:
        application.aws.faults.add(fault)
    ended = train(application, 1)
    assert ended.status == "SUCCEEDED", ended.cause
    [cutoff] = application.cutoffs
    assert cutoff.rows == 1_200
    assert application.aws.variants_in_service()["taxi"] == [cutoff.variant]
    assert len(application.client("glue").get_job_runs(JobName=JOB)["JobRuns"]) == 1
    assert len(application.client("dynamodb").list_exports()["ExportSummaries"]) == 1
    assert calls.of("dynamodb", "Scan") == []


def test_the_export_and_the_rows_of_the_run_are_deleted(application: WatchedApplication) -> None:
    temporary = [key for key in keys(application) if key.startswith(("data/", "scores/"))]
    assert [key.rpartition("/")[2] for key in temporary] == ["preparation.json"]


def test_a_repetition_of_a_run_exports_and_runs_nothing_again(
    application: WatchedApplication,
) -> None:
    application.aws.calls.clear()
    ended = train(application, 1)
    assert ended.status == "SUCCEEDED", ended.cause
    for service, operation in (("dynamodb", "ExportTableToPointInTime"), ("glue", "StartJobRun")):
        assert application.aws.calls.of(service, operation) == []


def test_a_table_without_point_in_time_recovery_fails_with_the_reason(
    application: WatchedApplication,
) -> None:
    recover(application, on=False)
    ended = train(application, 2)
    recover(application, on=True)
    assert (ended.status, ended.error) == ("FAILED", "RejectedRequest")
    assert "Point in time recovery is not enabled" in ended.cause


def test_a_failed_export_is_the_reason_and_another_run_exports_anew(
    application: WatchedApplication,
) -> None:
    application.aws.exports.fail(lambda _: True, "disk full", times=1)
    ended = train(application, 3)
    assert (ended.status, ended.error) == ("FAILED", "ExportFailed")
    assert ended.cause.endswith("ended FAILED: disk full")


def test_an_export_that_hangs_ends_at_its_deadline(application: WatchedApplication) -> None:
    application.aws.exports.hang(lambda _: True, times=1)
    ended = train(application, 4)
    assert (ended.status, ended.error) == ("FAILED", "ExportOverdue")
    assert "was still IN_PROGRESS at its deadline" in ended.cause


def test_a_partial_export_is_refused_by_the_job(application: WatchedApplication) -> None:
    application.aws.exports.shorten_output(lambda _: True, times=1)
    ended = train(application, 5)
    assert (ended.status, ended.error) == ("FAILED", "PreparationJobFailed")
    assert "the export has 1201 items, and 1200 could be read" in ended.cause


@pytest.mark.parametrize(
    ("day", "outcome", "state"), [(6, "fail", "FAILED"), (7, "stop", "STOPPED")]
)
def test_a_run_that_fails_or_is_stopped_is_the_reason(
    application: WatchedApplication, day: int, outcome: str, state: str
) -> None:
    getattr(application.aws.glue, outcome)(lambda job: job == JOB, times=1)
    ended = train(application, day)
    assert (ended.status, ended.error) == ("FAILED", "PreparationJobFailed")
    assert f" ended {state}: " in ended.cause


def test_a_run_that_hangs_is_stopped_at_its_deadline(application: WatchedApplication) -> None:
    application.aws.glue.hang(lambda job: job == JOB, times=1)
    ended = train(application, 8)
    assert (ended.status, ended.error) == ("FAILED", "PreparationJobOverdue")
    assert "was stopped" in ended.cause
    stopped = application.client("glue").get_job_runs(JobName=JOB)["JobRuns"][0]
    assert stopped["JobRunState"] in ("STOPPING", "STOPPED")


# Of the roles that preparation by Glue adds: statement and action, and why no test here uses them.
NOT_SEEN_HERE = {
    ("Log", "logs:*"): "the local Lambda writes logs itself",
    ("WriteLogs", "logs:*"): "the local Glue writes no logs",
    ("Trace", "xray:*"): "the local AWS has no traces",
    (
        "ReadExportAndWriteRows",
        "s3:DeleteObject",
    ): "Spark commits by renaming on the local copy of S3, and in S3 by deleting",
}
ROLES = ("StartExport", "GetExportStatus", "StartPreparationJob", "GetPreparationJobStatus", "StopPreparationJob", "PreparationJob", "PrepareRecords")  # fmt: skip


def test_no_call_is_denied_and_nothing_is_granted_that_nothing_uses(
    application: WatchedApplication,
) -> None:
    permissions, resources = application.aws.permissions, application.stack.resources
    granted = {use for role in ROLES for use in permissions.granted(resources[f"{role}Role"])}
    unused = {
        (use.role, use.statement, use.action)
        for use in granted - permissions.uses
        if not any(
            fnmatchcase(use.statement, statement) and fnmatchcase(use.action, action)
            for statement, action in NOT_SEEN_HERE
        )
    }
    denied = [call for call in application.aws.calls if "Denied" in (call.error_code or "")]
    assert denied == []
    assert sorted(unused) == []
