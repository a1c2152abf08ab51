"""Preparation by Glue: idempotent starts of exports and runs, their status, and what is refused."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import AttemptsExhausted, PreparationRefused, RejectedRequest
from cutwatch.sagemaker.jobs import Job
from cutwatch.tables.export import MAX_ATTEMPTS, Export, TableExporter, export_status
from cutwatch.tables.exporting import export_table
from cutwatch.tables.glue_job import PreparationJob, job_arguments
from cutwatch.tables.preparation import dataset_of
from cutwatch.tables.recipe import TableRecipe
from cutwatch.timestamps import format_timestamp
from tests.support.watched_tables import watched
from tests.unit.cutwatch.tables.test_preparation import SCHEDULED, MemoryBucket

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/rides"
NOW = datetime(2026, 11, 1, 3, 0, 9, tzinfo=UTC)
DEADLINE = NOW + timedelta(hours=2)
DATASET = dataset_of(watched(), "data", SCHEDULED)
COMPLETE = Export(
    f"{ARN}/export/1", "COMPLETED", format_timestamp(DEADLINE), items=7, data="s3://data/x/data/"
)


class FakeExports:
    """DynamoDB's exports by client token; `statuses` are those of the next ones."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.exports: dict[str, dict[str, Any]] = {}

    def describe_table(self, **_: str) -> dict[str, Any]:
        keys = [{"AttributeName": "id", "KeyType": "HASH"}]
        return {"Table": {"KeySchema": keys, "ItemCount": 5_000_000, "TableSizeBytes": 1}}

    def export_table_to_point_in_time(self, **request: Any) -> dict[str, Any]:
        token = request["ClientToken"]
        if token not in self.exports:
            status = self.statuses.pop(0) if self.statuses else "IN_PROGRESS"
            described = {"ExportArn": f"{ARN}/export/{len(self.exports)}", "ExportStatus": status}
            self.exports[token] = {**request, **described, "FailureMessage": "disk full"}
        return {"ExportDescription": self.exports[token]}

    def describe_export(self, **request: str) -> dict[str, Any]:
        [found] = [each for each in self.exports.values() if each["ExportArn"] == request["ExportArn"]]  # fmt: skip
        return {"ExportDescription": found}


class FakeGlue:
    """Runs of one job; one at a time is under way."""

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    def get_paginator(self, _: str) -> "FakeGlue":
        return self

    def paginate(self, **_: str) -> Iterator[Mapping[str, Any]]:
        for run in reversed(self.runs):
            yield {"JobRuns": [run]}

    def start_job_run(self, **request: Any) -> dict[str, str]:
        self.runs.append({**request, "Id": f"jr_{len(self.runs)}", "JobRunState": "STARTING"})
        return {"JobRunId": self.runs[-1]["Id"]}

    def get_job_run(self, **request: str) -> dict[str, Any]:
        return {"JobRun": next(run for run in self.runs if run["Id"] == request["RunId"])}

    def batch_stop_job_run(self, **_: Any) -> dict[str, Any]:
        return {"Errors": self.errors}


def exporter(dynamodb: FakeExports, bucket: MemoryBucket | None = None, **more: str) -> TableExporter:  # fmt: skip
    return TableExporter(dynamodb, ARN, bucket or MemoryBucket(), **more)  # type: ignore[arg-type]


def test_an_export_is_started_once_below_the_runs_own_prefix() -> None:
    dynamodb = FakeExports()
    first = exporter(dynamodb).start(DATASET, DEADLINE)
    assert exporter(dynamodb).start(DATASET, DEADLINE) == first
    [export] = dynamodb.exports.values()
    assert export["S3Prefix"] == f"{DATASET.prefix}export"
    assert "S3SseKmsKeyId" not in export
    assert (first.status, first.data, first.prepared) == ("IN_PROGRESS", "", False)


def test_an_export_is_encrypted_with_the_key_of_the_stack() -> None:
    dynamodb = FakeExports()
    exporter(dynamodb, kms_key_id="key-1").start(DATASET, DEADLINE)
    [export] = dynamodb.exports.values()
    assert (export["S3SseAlgorithm"], export["S3SseKmsKeyId"]) == ("KMS", "key-1")


def test_a_failed_export_is_made_again_until_the_attempts_are_exhausted() -> None:
    dynamodb = FakeExports("FAILED", "FAILED")
    assert exporter(dynamodb).start(DATASET, DEADLINE).arn.endswith("/export/2")
    with pytest.raises(AttemptsExhausted, match="disk full"):
        exporter(FakeExports(*["FAILED"] * MAX_ATTEMPTS)).start(DATASET, DEADLINE)


def test_a_complete_export_names_its_data_and_items_and_a_late_one_is_overdue() -> None:
    dynamodb = FakeExports()
    started = exporter(dynamodb).start(DATASET, DEADLINE)
    assert not export_status(dynamodb, started, DEADLINE).overdue  # type: ignore[arg-type]
    late = DEADLINE + timedelta(seconds=1)
    assert export_status(dynamodb, started, late).overdue  # type: ignore[arg-type]
    [export] = dynamodb.exports.values()
    manifest = "p/AWSDynamoDB/1/manifest-summary.json"
    export |= {"ExportStatus": "COMPLETED", "ItemCount": 7, "ExportManifest": manifest}
    complete = export_status(dynamodb, started, NOW)  # type: ignore[arg-type]
    assert (complete.items, complete.data) == (7, "s3://data/p/AWSDynamoDB/1/data/")
    assert Export.from_payload(complete.to_payload()) == complete


def test_nothing_is_exported_for_a_run_that_has_its_rows() -> None:
    bucket, dynamodb = MemoryBucket(), FakeExports()
    assert not export_table(exporter(dynamodb, bucket), watched(), DATASET, DEADLINE).prepared
    bucket.write(f"{DATASET.prefix}summary/part-0.txt", '{"rows": 3000}')
    assert export_table(exporter(dynamodb, bucket), watched(), DATASET, DEADLINE).prepared
    assert len(dynamodb.exports) == 1


def test_a_key_of_the_table_is_refused_before_anything_is_exported() -> None:
    dynamodb = FakeExports()
    table = watched(values={"x": "id"})
    with pytest.raises(PreparationRefused, match="'id' is a key of the table"):
        export_table(exporter(dynamodb), table, DATASET, DEADLINE)
    assert dynamodb.exports == {}


def arguments() -> Mapping[str, str]:
    bucket = Bucket(None, "data")  # type: ignore[arg-type]
    return job_arguments(bucket, DATASET, TableRecipe.of(watched()), COMPLETE)


def test_a_run_is_started_once_with_the_time_that_is_left() -> None:
    job = PreparationJob(FakeGlue(), "prepare")
    started = job.start(arguments(), COMPLETE.deadline, NOW + timedelta(minutes=30))
    again = job.start(arguments(), COMPLETE.deadline, NOW + timedelta(minutes=31))
    assert started == again == Job("jr_0", "STARTING", COMPLETE.deadline)
    [run] = job.glue.runs
    assert run["Timeout"] == 90
    assert run["Arguments"]["--items"] == "7"
    assert run["Arguments"]["--rows"] == f"s3://data/{DATASET.prefix}rows/"


def test_a_run_is_repeated_after_a_failure_and_never_after_a_success() -> None:
    job = PreparationJob(FakeGlue(), "prepare")
    job.start(arguments(), COMPLETE.deadline, NOW)
    job.glue.runs[0]["JobRunState"] = "FAILED"
    assert job.start(arguments(), COMPLETE.deadline, NOW).name == "jr_1"
    job.glue.runs[1]["JobRunState"] = "SUCCEEDED"
    late = DEADLINE + timedelta(hours=1)
    assert job.start(arguments(), COMPLETE.deadline, late).status == "SUCCEEDED"
    other = {**arguments(), "--export": "s3://data/another/"}
    assert job.start(other, COMPLETE.deadline, late).name == "jr_2"
    assert job.glue.runs[2]["Timeout"] == 1


def test_a_status_has_glues_reason_and_whether_the_run_is_overdue() -> None:
    job = PreparationJob(FakeGlue(), "prepare")
    started = job.start(arguments(), COMPLETE.deadline, NOW)
    assert job.status(started, NOW).reason == "Glue gives no reason"
    job.glue.runs[0] |= {"JobRunState": "FAILED", "ErrorMessage": "the export is partial"}
    late = job.status(started, DEADLINE + timedelta(seconds=1))
    assert (late.status, late.reason, late.overdue) == ("FAILED", "the export is partial", True)


def test_what_glue_does_not_stop_is_reported() -> None:
    glue = FakeGlue()
    job = PreparationJob(glue, "prepare")
    started = job.start(arguments(), COMPLETE.deadline, NOW)
    job.stop(started)
    detail = {"ErrorCode": "InvalidInputException", "ErrorMessage": "Job run is in state STOPPED"}
    glue.errors = [{"JobRunId": started.name, "ErrorDetail": detail}]
    with pytest.raises(RejectedRequest, match="Job run is in state STOPPED"):
        job.stop(started)
