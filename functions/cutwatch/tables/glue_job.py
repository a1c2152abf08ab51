"""Runs of the Glue job that prepares a table's rows: idempotent start, status, stop."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import ROWS
from cutwatch.errors import RejectedRequest
from cutwatch.sagemaker.jobs import Job
from cutwatch.tables.export import Export
from cutwatch.tables.preparation import SUMMARY
from cutwatch.tables.recipe import TableRecipe
from cutwatch.timestamps import parse_timestamp

_ALIVE = ("STARTING", "RUNNING", "WAITING", "SUCCEEDED")
_NO_REASON = "Glue gives no reason"

Arguments = Mapping[str, str]


def job_arguments(
    bucket: Bucket, dataset: Dataset, recipe: TableRecipe, export: Export
) -> Arguments:
    """Return the arguments of `glue/prepare_records.py` for a run's export."""
    return {
        "--export": export.data,
        "--items": str(export.items),
        "--rows": bucket.uri(dataset.prefix + ROWS),
        "--summary": bucket.uri(dataset.prefix + SUMMARY),
        "--recipe": recipe.to_json(),
    }


@dataclass(frozen=True)
class PreparationJob:
    """The Glue job of one table; `glue` is a client of boto3."""

    glue: Any
    name: str

    def start(self, arguments: Arguments, deadline: str, now: datetime) -> Job:
        """Start a run with these arguments, unless one with the same is under way or has succeeded.

        Glue has no token for a start whose answer is lost, so its runs are compared. Raises `QuotaExceeded` while another run is
        under way.
        """
        found = next((run for run in self._runs() if _is_alive(run, arguments)), None)
        if found is not None:
            return Job(found["Id"], found["JobRunState"], deadline)
        left = parse_timestamp(deadline, "deadline") - now
        run = self.glue.start_job_run(
            JobName=self.name,
            Arguments=arguments,
            Timeout=max(1, ceil(left.total_seconds() / 60)),
        )
        return Job(run["JobRunId"], "STARTING", deadline)

    def status(self, job: Job, now: datetime) -> Job:
        """Return a run with its present status; it is overdue once its deadline has passed."""
        run = self.glue.get_job_run(JobName=self.name, RunId=job.name)["JobRun"]
        overdue = now > parse_timestamp(job.deadline, "deadline")
        reason = run.get("ErrorMessage", _NO_REASON)
        return Job(job.name, run["JobRunState"], job.deadline, reason, overdue)

    def stop(self, job: Job) -> None:
        """Stop a run. Raises `RejectedRequest` if it has ended."""
        answer = self.glue.batch_stop_job_run(JobName=self.name, JobRunIds=[job.name])
        for error in answer.get("Errors", []):
            detail = error.get("ErrorDetail", {})
            code, message = detail.get("ErrorCode", ""), detail.get("ErrorMessage", "")
            raise RejectedRequest("BatchStopJobRun", code, message)

    def _runs(self) -> Iterator[Mapping[str, Any]]:
        pages = self.glue.get_paginator("get_job_runs").paginate(JobName=self.name)
        for page in pages:
            yield from page["JobRuns"]


def _is_alive(run: Mapping[str, Any], arguments: Arguments) -> bool:
    return run["JobRunState"] in _ALIVE and run.get("Arguments", {}) == arguments
