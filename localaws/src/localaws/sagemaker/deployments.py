"""A deployment of a configuration to an endpoint: blue/green, in the clock's time, rolled back if it fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from localaws.api_response import ApiError
from localaws.job_outcomes import JobOutcome, OutcomeKind
from localaws.sagemaker.endpoint_configs import EndpointConfig
from localaws.sagemaker.random_cut_forest import Forest
from localaws.sagemaker.supported import not_implemented

_POLICY_FIELDS = frozenset(
    {
        "TrafficRoutingConfiguration",
        "TerminationWaitInSeconds",
        "MaximumExecutionTimeoutInSeconds",
    }
)


@dataclass(frozen=True)
class Fleet:
    """The variants of a configuration, each with its forest in memory."""

    config: EndpointConfig
    forests: Mapping[str, Forest]


@dataclass(frozen=True)
class Plan:
    """Course of the traffic to the new fleet, and the alarms that move it back. Times are seconds."""

    canary_percent: int = 0
    canary_seconds: float = 0.0
    bake_seconds: float = 0.0
    alarms: tuple[str, ...] = ()

    @classmethod
    def parse(cls, deployment: Mapping[str, Any]) -> "Plan":
        """Read a DeploymentConfig; what is not implemented is refused by name."""
        if "RollingUpdatePolicy" in deployment:
            raise not_implemented("RollingUpdatePolicy of a deployment")
        policy = deployment.get("BlueGreenUpdatePolicy", {})
        for name in sorted(policy.keys() - _POLICY_FIELDS):
            raise not_implemented(f"{name} of a BlueGreenUpdatePolicy")
        percent, seconds = _canary(policy.get("TrafficRoutingConfiguration", {}))
        alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        return cls(
            percent,
            seconds,
            float(policy.get("TerminationWaitInSeconds", 0)),
            tuple(each["AlarmName"] for each in alarms),
        )


def _canary(routing: Mapping[str, Any]) -> tuple[int, float]:
    kind = routing.get("Type", "ALL_AT_ONCE")
    if kind == "ALL_AT_ONCE":
        return 0, 0.0
    size = routing.get("CanarySize", {})
    if kind != "CANARY" or size.get("Type") != "CAPACITY_PERCENT":
        raise not_implemented(f"traffic routing {kind} {size.get('Type', '')}".rstrip())
    if not 1 <= size["Value"] <= 50:
        raise ApiError("ValidationException", "CanarySize must be between 1 and 50 percent")
    return int(size["Value"]), float(routing["WaitIntervalInSeconds"])


@dataclass
class Deployment:
    """A deployment under way. The old fleet serves until `shifts`, both during the canary, the new one while it bakes."""

    target: Fleet
    plan: Plan
    started: datetime
    seconds: float
    outcome: JobOutcome
    rolls_back_until: datetime | None = None
    reason: str = ""

    @property
    def shifts(self) -> datetime:
        return self.started + timedelta(seconds=self.seconds)

    @property
    def canary_ends(self) -> datetime:
        return self.shifts + timedelta(seconds=self.plan.canary_seconds)

    @property
    def ends(self) -> datetime:
        return self.canary_ends + timedelta(seconds=self.plan.bake_seconds)

    def has_failed(self, now: datetime) -> bool:
        return self.outcome.kind is OutcomeKind.FAIL and now >= self.shifts

    def is_complete(self, now: datetime) -> bool:
        return self.outcome.kind is not OutcomeKind.HANG and now >= self.ends

    def share(self, now: datetime) -> int:
        """Return the percentage of requests that the new fleet serves."""
        waits = now < self.shifts or self.outcome.kind in (OutcomeKind.HANG, OutcomeKind.FAIL)
        if waits or self.rolls_back_until:
            return 0
        return self.plan.canary_percent if now < self.canary_ends else 100

    def roll_back(self, now: datetime, reason: str) -> None:
        self.rolls_back_until = now + timedelta(seconds=self.seconds)
        self.reason = reason
