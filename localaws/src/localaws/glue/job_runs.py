"""Runs of jobs: their states in the clock's time, and the work that they do."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from localaws.background import in_background
from localaws.clock import Clock
from localaws.glue.behaviour import GlueBehaviour
from localaws.glue.spark import ScriptFailed, Spark
from localaws.job_outcomes import JobOutcome, OutcomeKind
from localaws.sagemaker.objects import split

UNFINISHED = ("STARTING", "RUNNING", "STOPPING")


@dataclass
class JobRun:
    """One run of a job, with all arguments of its script; `timeout` is in minutes."""

    id: str
    job: str
    role: str
    script: str
    arguments: Mapping[str, str]
    given: Mapping[str, str]
    timeout: int
    capacity: Mapping[str, Any]
    started: datetime
    state: str = "STARTING"
    error: str = ""
    ran: datetime | None = None
    ended: datetime | None = None
    stopped_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def end(self, state: str, at: datetime, error: str = "") -> None:
        """End a run that has not ended, and is not being stopped."""
        with self.lock:
            if self.state in ("STARTING", "RUNNING"):
                self.state, self.ended, self.error = state, at, error

    def described(self) -> dict[str, Any]:
        """Return the run as Glue describes it."""
        seconds = (self.ended - self.ran).total_seconds() if self.ended and self.ran else 0
        described = {
            "Id": self.id,
            "Attempt": 0,
            "JobName": self.job,
            "StartedOn": self.started,
            "LastModifiedOn": self.ended or self.ran or self.started,
            "JobRunState": self.state,
            "Arguments": dict(self.given),
            "ExecutionTime": int(seconds),
            "Timeout": self.timeout,
            **self.capacity,
        }
        if self.error:
            described["ErrorMessage"] = self.error
        return described | ({"CompletedOn": self.ended} if self.ended else {})


@dataclass(frozen=True)
class JobRunner:
    """Runs scripts in Spark; `s3_of` makes the S3 client of a job's role."""

    clock: Clock
    spark: Spark
    behaviour: GlueBehaviour
    s3_of: Callable[[str], Any]

    def start(self, run: JobRun) -> None:
        outcome = self.behaviour.outcome_of(run.job)
        if outcome.kind is not OutcomeKind.HANG:
            in_background(self.clock, run.id, lambda: self._run(run, outcome))

    def request_stop(self, run: JobRun) -> None:
        with run.lock:
            run.state = "STOPPING"
            stopping = timedelta(seconds=self.behaviour.stopping_seconds)
            run.stopped_at = self.clock.now() + stopping

    def bring_up_to_date(self, run: JobRun) -> None:
        """Complete a stop whose time has come."""
        now = self.clock.now()
        with run.lock:
            if run.state == "STOPPING" and run.stopped_at is not None and now >= run.stopped_at:
                run.state, run.ended = "STOPPED", run.stopped_at

    def _run(self, run: JobRun, outcome: JobOutcome) -> None:
        self.clock.sleep(self.behaviour.starting_seconds)
        with run.lock:
            if run.state != "STARTING":
                return
            run.state, run.ran = "RUNNING", self.clock.now()
        try:
            s3 = self.s3_of(run.role)
            changes = self._changes(run, outcome, s3)
            if not self._within_timeout(run):
                return
            self._write(run, s3, changes)
        except (ScriptFailed, ClientError) as error:
            run.end("FAILED", self.clock.now(), str(error))
        else:
            run.end("SUCCEEDED", self.clock.now())

    def _changes(self, run: JobRun, outcome: JobOutcome, s3: Any) -> dict[str, bytes | None]:
        if outcome.kind is OutcomeKind.STOP:
            run.end("STOPPED", self.clock.now())
        if outcome.kind is OutcomeKind.FAIL:
            raise ScriptFailed(outcome.reason)
        if run.state != "RUNNING":
            return {}
        bucket, key = split(run.script)
        script = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        return self.spark.run(script, run.arguments, s3)

    def _within_timeout(self, run: JobRun) -> bool:
        """Let the run's time pass; return whether it is within the timeout."""
        longest = run.timeout * 60
        self.clock.sleep(min(self.behaviour.running_seconds, longest))
        if self.behaviour.running_seconds <= longest:
            return True
        run.end("TIMEOUT", self.clock.now())
        return False

    def _write(self, run: JobRun, s3: Any, changes: Mapping[str, bytes | None]) -> None:
        for uri, content in changes.items():
            bucket, key = split(uri)
            if run.state != "RUNNING":
                return
            if content is None:
                s3.delete_object(Bucket=bucket, Key=key)
            else:
                s3.put_object(Bucket=bucket, Key=key, Body=content)
