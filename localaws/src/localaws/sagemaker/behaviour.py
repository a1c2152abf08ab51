"""Behaviour of the local SageMaker: quotas, durations, and the outcomes of jobs that a test names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from localaws.job_outcomes import JobOutcomes, JobPredicate, OutcomeKind

DEFAULT_QUOTA = 8
CAPACITY_ERROR = (
    "CapacityError: Unable to provision requested ML compute capacity. "
    "Please retry using a different ML instance type."
)


@dataclass
class SageMakerBehaviour(JobOutcomes):
    """Quotas are instances in use at once, per instance type and kind of job; durations are seconds.

    Outcomes befall jobs by their names, deployments to an endpoint by the name of the configuration, and requests to an
    endpoint by `<endpoint>/invocations`.
    """

    quotas: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    default_quota: int = DEFAULT_QUOTA
    training_seconds: float = 0.0
    transform_seconds: float = 0.0
    stopping_seconds: float = 0.0
    endpoint_seconds: float = 0.0
    invocation_seconds: float = 0.0

    def quota(self, instance_type: str) -> int:
        return self.quotas.get(instance_type, self.default_quota)

    def run_out_of_capacity(self, concerns: JobPredicate, *, times: int | None = None) -> None:
        self._add(concerns, OutcomeKind.FAIL, CAPACITY_ERROR, times)
