"""SageMaker jobs: requests, idempotent starts, and status."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from annotated_types import Len

from cutwatch.errors import AttemptsExhausted, NameInUse, NotFound, RejectedRequest
from cutwatch.payloads import read
from cutwatch.sagemaker.requests import Request, Tags, model_request
from cutwatch.settings import SageMakerSettings
from cutwatch.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

MAX_ATTEMPTS = 20
_ALIVE = ("InProgress", "Completed")
_NO_REASON = "SageMaker gives no reason"


@dataclass(frozen=True)
class Job:
    """A job in the state machines. `status` is SageMaker's; times are ISO 8601."""

    name: Annotated[str, Len(1)]
    status: str
    deadline: str
    reason: str = ""
    overdue: bool = False

    def to_payload(self) -> dict[str, Any]:
        """Return the job as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Any) -> "Job":
        """Read a payload. Raises `InvalidInput`."""
        return read(cls, payload, "job")


@dataclass(frozen=True)
class Described:
    """The state of a job in SageMaker."""

    status: str
    created: datetime
    reason: str


class Jobs(Protocol):
    """The calls for one kind of job."""

    def create(self, request: Request) -> None:
        """Create a job. Raises `NameInUse`."""

    def describe(self, name: str) -> Described:
        """Describe a job."""

    def stop(self, name: str) -> None:
        """Stop a job. Raises `RejectedRequest` if it has ended."""


@dataclass(frozen=True)
class TrainingJobs:
    """Training jobs."""

    sagemaker: "SageMakerClient"

    def create(self, request: Request) -> None:
        """See `Jobs`."""
        self.sagemaker.create_training_job(**request)

    def describe(self, name: str) -> Described:
        """See `Jobs`."""
        answer = self.sagemaker.describe_training_job(TrainingJobName=name)
        return _described(answer, answer["TrainingJobStatus"])

    def stop(self, name: str) -> None:
        """See `Jobs`."""
        self.sagemaker.stop_training_job(TrainingJobName=name)


@dataclass(frozen=True)
class TransformJobs:
    """Batch transform jobs."""

    sagemaker: "SageMakerClient"

    def create(self, request: Request) -> None:
        """See `Jobs`."""
        self.sagemaker.create_transform_job(**request)

    def describe(self, name: str) -> Described:
        """See `Jobs`."""
        answer = self.sagemaker.describe_transform_job(TransformJobName=name)
        return _described(answer, answer["TransformJobStatus"])

    def stop(self, name: str) -> None:
        """See `Jobs`."""
        self.sagemaker.stop_transform_job(TransformJobName=name)


def _described(answer: Any, status: str) -> Described:
    return Described(status, answer["CreationTime"], answer.get("FailureReason", _NO_REASON))


def start(
    jobs: Jobs,
    request_for: Callable[[str], Request],
    name_of_attempt: Callable[[int], str],
    now: datetime,
    limit: timedelta,
) -> Job:
    """Start a job under the first free attempt's name, unless an attempt is running or has completed.

    Raises `AttemptsExhausted` if `MAX_ATTEMPTS` jobs of this name have failed or been stopped.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        name = name_of_attempt(attempt)
        try:
            jobs.create(request_for(name))
        except NameInUse:
            existing = jobs.describe(name)
            if existing.status in _ALIVE:
                return Job(name, existing.status, format_timestamp(existing.created + limit))
        else:
            return Job(name, "InProgress", format_timestamp(now + limit))
    raise AttemptsExhausted(
        f"{name}: all {MAX_ATTEMPTS} attempts failed or were stopped; look at the jobs' reasons, "
        "then wait for the next scheduled run"
    )


def status(jobs: Jobs, job: Job, now: datetime) -> Job:
    """Return the job with its present status; it is overdue once its deadline has passed."""
    described = jobs.describe(job.name)
    overdue = now > parse_timestamp(job.deadline, "deadline")
    return Job(job.name, described.status, job.deadline, described.reason, overdue)


def stop(jobs: Jobs, name: str) -> None:
    """Stop a job. SageMaker rejects the request if the job has ended, which is as good."""
    try:
        jobs.stop(name)
    except (RejectedRequest, NotFound):
        return


def create_model(
    sagemaker: "SageMakerClient",
    settings: SageMakerSettings,
    name: str,
    artefact_uri: str,
    tags: Tags,
) -> None:
    """Create a model unless it exists: a model's name is its training job's, so an existing one is the same."""
    try:
        sagemaker.create_model(**model_request(settings, name, artefact_uri, tags))
    except NameInUse:
        return
