from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.errors import AttemptsExhausted, NameInUse, NotFound, RejectedRequest, Throttled
from cutwatch.sagemaker.jobs import (
    MAX_ATTEMPTS,
    Job,
    TrainingJobs,
    TransformJobs,
    create_model,
    start,
    status,
    stop,
)
from cutwatch.settings import SageMakerSettings
from tests.support.builders import NOON
from tests.support.fakes import Fake

LIMIT = timedelta(hours=1)
CREATED = datetime(2026, 11, 2, 11, 30, tzinfo=UTC)
KINDS = [TrainingJobs, TransformJobs]

Kind = type[TrainingJobs] | type[TransformJobs]


class FakeSageMaker(Fake):
    """Knows jobs by name and status, and raises what our client raises."""

    def __init__(self, **jobs: str) -> None:
        self.jobs = dict(jobs)
        self.created: list[str] = []

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        verb, _, _ = operation.partition("_")
        return lambda **request: getattr(self, verb)(*request.values())

    def create(self, name: str) -> None:
        if name in self.jobs:
            raise NameInUse("Create", "ResourceInUse", name)
        self.jobs[name] = "InProgress"
        self.created.append(name)

    def describe(self, name: str) -> dict[str, Any]:
        statuses = dict.fromkeys(("TrainingJobStatus", "TransformJobStatus"), self.jobs[name])
        return {"CreationTime": CREATED, **statuses}


def start_job(sagemaker: Any, kind: Kind = TrainingJobs) -> Job:
    return start(kind(sagemaker), lambda name: {"Name": name}, lambda n: f"job{n}", NOON, LIMIT)


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_start_takes_the_first_attempts_name(kind: Kind) -> None:
    sagemaker = FakeSageMaker()

    assert start_job(sagemaker, kind) == Job("job1", "InProgress", "2026-11-02T13:00:00Z")
    assert sagemaker.created == ["job1"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("found", ["InProgress", "Completed"])
def test_a_running_or_completed_job_counts_as_started_and_keeps_its_own_deadline(
    kind: Kind, found: str
) -> None:
    sagemaker = FakeSageMaker(job1=found)

    assert start_job(sagemaker, kind) == Job("job1", found, "2026-11-02T12:30:00Z")
    assert sagemaker.created == []


@pytest.mark.parametrize("found", ["Failed", "Stopped", "Stopping", "Deleting"])
def test_a_job_that_ended_or_is_ending_badly_moves_on_to_the_next_attempt(found: str) -> None:
    sagemaker = FakeSageMaker(job1=found)
    assert start_job(sagemaker).name == "job2"


@given(st.lists(st.sampled_from(["Failed", "Stopped", "Completed", "InProgress"]), max_size=25))
def test_whatever_is_found_at_most_one_job_is_started_and_it_is_alive(found: list[str]) -> None:
    sagemaker = FakeSageMaker(**{f"job{n}": each for n, each in enumerate(found, 1)})
    alive = [n for n, each in enumerate(found, 1) if each in ("Completed", "InProgress")]

    try:
        job = start_job(sagemaker)
    except AttemptsExhausted:
        assert len(found) >= MAX_ATTEMPTS
        assert not alive or min(alive) > MAX_ATTEMPTS
    else:
        assert job.name == f"job{min(alive) if alive else len(found) + 1}"
        assert sagemaker.created == ([] if alive else [job.name])
        assert start_job(sagemaker).name == job.name


def test_when_every_attempt_is_taken_the_reason_says_what_to_do() -> None:
    sagemaker = FakeSageMaker(**{f"job{n}": "Failed" for n in range(1, MAX_ATTEMPTS + 1)})

    with pytest.raises(AttemptsExhausted, match="job20: all 20 attempts failed or were stopped"):
        start_job(sagemaker)


class Raising(Fake):
    """Every operation raises the same error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def refuse(**_: Any) -> None:
            raise self.error

        return refuse


def test_another_refusal_is_not_taken_for_a_name_in_use() -> None:
    with pytest.raises(Throttled):
        start_job(Raising(Throttled("Create", "ThrottlingException", "slow down")))


@pytest.mark.parametrize(
    ("now", "overdue"), [(NOON - LIMIT, False), (NOON, False), (NOON + LIMIT, True)]
)
def test_a_job_is_overdue_once_it_is_past_its_deadline(now: datetime, overdue: bool) -> None:
    sagemaker = FakeSageMaker(job1="InProgress")

    job = status(TrainingJobs(sagemaker), Job("job1", "", "2026-11-02T12:00:00Z"), now)

    assert (job.status, job.overdue, job.deadline) == (
        "InProgress",
        overdue,
        "2026-11-02T12:00:00Z",
    )


@pytest.mark.parametrize(
    "error",
    [
        RejectedRequest("Stop", "ValidationException", "the job has ended"),
        NotFound("Stop", "ResourceNotFound", "no such job"),
    ],
)
def test_stopping_what_has_ended_is_no_failure(error: Exception) -> None:
    stop(TrainingJobs(Raising(error)), "job1")


def test_stopping_that_is_throttled_is_a_failure_to_be_retried() -> None:
    with pytest.raises(Throttled):
        stop(TrainingJobs(Raising(Throttled("Stop", "ThrottlingException", "slow"))), "job1")


def test_an_existing_model_is_recognised() -> None:
    settings = SageMakerSettings("bucket", "cutwatch", "role", "image")
    create_model(Raising(NameInUse("CreateModel", "", "")), settings, "model", "s3://x", [])
