"""The jobs of one kind: creating under unique names within quotas, describing, listing, stopping."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localaws.api_response import ApiError
from localaws.sagemaker.behaviour import SageMakerBehaviour
from localaws.sagemaker.jobs import Job, JobRunner

_DEFAULT_PAGE = 10


@dataclass(frozen=True)
class JobKind:
    """SageMaker's words for this kind of job."""

    prefix: str
    arn_kind: str
    usage: str
    name_taken: str
    not_found: str

    @property
    def name_field(self) -> str:
        return f"{self.prefix}Name"

    @property
    def status_field(self) -> str:
        return f"{self.prefix}Status"


class JobRegistry:
    """All jobs of one kind, by name."""

    def __init__(self, kind: JobKind, runner: JobRunner, behaviour: SageMakerBehaviour) -> None:
        self._kind = kind
        self._runner = runner
        self._behaviour = behaviour
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}

    def add(self, job: Job) -> None:
        """Take up a new job, unless its name is taken or its instances are beyond the quota."""
        with self._lock:
            if job.name in self._jobs:
                raise ApiError("ResourceInUse", f"{self._kind.name_taken} ({job.arn})")
            self._check_quota(job)
            self._jobs[job.name] = job

    def get(self, name: str) -> Job:
        job = self._jobs.get(name)
        if job is None:
            raise ApiError("ValidationException", self._kind.not_found.format(name=name))
        self._runner.bring_up_to_date(job)
        return job

    def stop(self, name: str) -> None:
        job = self.get(name)
        if job.status == "Stopping":
            return
        if job.status != "InProgress":
            raise ApiError(
                "ValidationException",
                f"The request was rejected because the {self._kind.arn_kind.replace('-', ' ')} is in "
                f"status {job.status}.",
            )
        self._runner.request_stop(job)

    def page(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return one page of a List operation, newest first unless asked otherwise."""
        jobs = [self.get(name) for name in list(self._jobs)]
        found = [job for job in jobs if self._is_listed(job, parameters)]
        key = _sort_key(parameters.get("SortBy", "CreationTime"))
        found.sort(key=key, reverse=parameters.get("SortOrder", "Descending") == "Descending")
        start = int(parameters.get("NextToken", 0))
        end = start + parameters.get("MaxResults", _DEFAULT_PAGE)
        summaries = [self._summary(job) for job in found[start:end]]
        answer: dict[str, Any] = {f"{self._kind.prefix}Summaries": summaries}
        return answer | ({"NextToken": str(end)} if end < len(found) else {})

    def _is_listed(self, job: Job, parameters: Mapping[str, Any]) -> bool:
        return (
            parameters.get("NameContains", "") in job.name
            and parameters.get("StatusEquals", job.status) == job.status
        )

    def _summary(self, job: Job) -> dict[str, Any]:
        summary = {
            self._kind.name_field: job.name,
            f"{self._kind.prefix}Arn": job.arn,
            self._kind.status_field: job.status,
            "CreationTime": job.created,
            "LastModifiedTime": job.ended or job.created,
        }
        ended = f"{self._kind.prefix.removesuffix('Job')}EndTime"
        return summary | ({ended: job.ended} if job.ended else {})

    def _check_quota(self, job: Job) -> None:
        quota = self._behaviour.quota(job.instance_type)
        in_use = sum(
            other.instance_count
            for other in self._jobs.values()
            if other.instance_type == job.instance_type and other.occupies_instances
        )
        if in_use + job.instance_count > quota:
            raise ApiError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{job.instance_type} for {self._kind.usage}' is "
                f"{quota} Instances, with current utilization of {in_use} Instances and a request "
                f"delta of {job.instance_count} Instances. Please use AWS Service Quotas to request "
                "an increase for this quota. If AWS Service Quotas is not available, contact AWS "
                "support to request an increase for this quota.",
            )


def _sort_key(field: str) -> Any:
    keys = {
        "Name": lambda job: job.name,
        "Status": lambda job: job.status,
        "CreationTime": lambda job: job.created,
    }
    return keys[field]
