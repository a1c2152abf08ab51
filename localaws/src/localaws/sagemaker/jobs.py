"""Jobs: work in a thread, with the duration and the end that the behaviour sets."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from localaws.clock import Clock
from localaws.job_outcomes import JobOutcome, OutcomeKind

Work = Callable[[OutcomeKind], Callable[[], None]]


class JobFailure(Exception):
    """The work cannot be done; the message is the job's `FailureReason`."""


@dataclass
class Job:
    """One training or transform job. `request` is what created it."""

    name: str
    arn: str
    request: Mapping[str, Any]
    instance_type: str
    instance_count: int
    created: datetime
    longest_seconds: float | None = None
    status: str = "InProgress"
    secondary_status: str = "Starting"
    failure_reason: str | None = None
    ended: datetime | None = None
    stop_complete_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def occupies_instances(self) -> bool:
        return self.status in ("InProgress", "Stopping")

    def end(
        self, status: str, at: datetime, *, secondary: str = "", reason: str | None = None
    ) -> None:
        self.status = status
        self.secondary_status = secondary or status
        self.failure_reason = reason
        self.ended = at


class JobRunner:
    """Runs jobs and brings them to their end, in the clock's time."""

    def __init__(self, clock: Clock, stopping_seconds: Callable[[], float]) -> None:
        self._clock = clock
        self._stopping_seconds = stopping_seconds

    def start(self, job: Job, work: Work, seconds: float, outcome: JobOutcome) -> None:
        """Begin the work: `work` computes and returns what writes the output once the job's time is up."""
        if outcome.kind is OutcomeKind.HANG:
            return
        self._clock.hold()
        threading.Thread(
            target=self._run, args=(job, work, seconds, outcome), name=job.name, daemon=True
        ).start()

    def request_stop(self, job: Job) -> None:
        with job.lock:
            job.status = job.secondary_status = "Stopping"
            job.stop_complete_at = self._clock.now() + timedelta(seconds=self._stopping_seconds())

    def bring_up_to_date(self, job: Job) -> None:
        """Complete a stop whose time has come."""
        with job.lock:
            if (
                job.status == "Stopping"
                and job.stop_complete_at is not None
                and self._clock.now() >= job.stop_complete_at
            ):
                job.end("Stopped", job.stop_complete_at)

    def _run(self, job: Job, work: Work, seconds: float, outcome: JobOutcome) -> None:
        try:
            with self._clock.already_held():
                self._work(job, work, seconds, outcome)
        finally:
            self._clock.release()

    def _work(self, job: Job, work: Work, seconds: float, outcome: JobOutcome) -> None:
        try:
            self._fail_if_planned(outcome)
            write = _checked(work, outcome.kind)
        except JobFailure as failure:
            self._clock.sleep(seconds)
            self._end(job, "Failed", reason=str(failure))
            return
        longest = job.longest_seconds
        if longest is not None and seconds > longest:
            self._clock.sleep(longest)
            self._end(job, "Stopped", secondary="MaxRuntimeExceeded")
            return
        self._clock.sleep(seconds)
        if outcome.kind is OutcomeKind.STOP:
            self._end(job, "Stopped")
        elif job.status == "InProgress":
            self._complete(job, write)

    def _complete(self, job: Job, write: Callable[[], None]) -> None:
        try:
            write()
        except Exception as error:  # noqa: BLE001 - becomes the job's failure
            self._end(job, "Failed", reason=_internal(error))
        else:
            self._end(job, "Completed")

    def _end(
        self, job: Job, status: str, *, secondary: str = "", reason: str | None = None
    ) -> None:
        with job.lock:
            if job.status == "InProgress":
                job.end(status, self._clock.now(), secondary=secondary, reason=reason)

    @staticmethod
    def _fail_if_planned(outcome: JobOutcome) -> None:
        if outcome.kind is OutcomeKind.FAIL:
            raise JobFailure(outcome.reason)


def _checked(work: Work, kind: OutcomeKind) -> Callable[[], None]:
    """Do the work and turn an unforeseen error into the job's failure."""
    try:
        return work(kind)
    except JobFailure:
        raise
    except Exception as error:
        raise JobFailure(_internal(error)) from error


def _internal(error: Exception) -> str:
    return f"InternalServerError: {type(error).__name__}: {error}"
