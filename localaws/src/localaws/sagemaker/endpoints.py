"""Endpoints: created, updated blue/green, rolled back, deleted; each takes its time on the clock."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.job_outcomes import JobOutcome, OutcomeKind
from localaws.sagemaker import arns, random_cut_forest
from localaws.sagemaker.behaviour import SageMakerBehaviour
from localaws.sagemaker.deployments import Deployment, Fleet, Plan
from localaws.sagemaker.endpoint_configs import EndpointConfig, EndpointConfigs
from localaws.sagemaker.jobs import JobFailure
from localaws.sagemaker.models import Models
from localaws.sagemaker.supported import refuse_unsupported

_IN_PROGRESS = ("Creating", "Updating", "RollingBack", "Deleting")


@dataclass
class Endpoint:
    """One endpoint: the fleet that serves, None before the first is up, and the deployment under way."""

    name: str
    arn: str
    created: datetime
    fleet: Fleet | None = None
    deployment: Deployment | None = None
    failure_reason: str = ""
    deleted_at: datetime | None = None
    modified: datetime | None = None
    requests: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def status(self) -> str:
        if self.deleted_at:
            return "Deleting"
        if self.deployment is None:
            return "InService" if self.fleet else "Failed"
        if self.deployment.rolls_back_until:
            return "RollingBack"
        return "Updating" if self.fleet else "Creating"

    def fleet_of_next_request(self, now: datetime) -> Fleet | None:
        """Return the fleet that serves the next request; a canary gets its share of every hundred."""
        self.requests += 1
        if self.fleet is None or self.deployment is None:
            return self.fleet
        turn = self.requests * 37 % 100
        return self.deployment.target if turn < self.deployment.share(now) else self.fleet


class Endpoints:
    """`in_alarm` returns whether an alarm of CloudWatch is in state ALARM."""

    def __init__(
        self,
        region: str,
        clock: Clock,
        behaviour: SageMakerBehaviour,
        configs: EndpointConfigs,
        models: Models,
        in_alarm: Callable[[str], bool],
    ) -> None:
        self._region = region
        self._clock = clock
        self._behaviour = behaviour
        self._configs = configs
        self._models = models
        self._in_alarm = in_alarm
        # The variants of an endpoint that are scaled automatically.
        self.scaled_variants: Callable[[str], list[str]] = lambda _: []
        self._lock = threading.RLock()
        self._endpoints: dict[str, Endpoint] = {}

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported("CreateEndpoint", request)
        name, config = request["EndpointName"], self._configs.get(request["EndpointConfigName"])
        with self._lock:
            if self._find(name):
                raise ApiError(
                    "ValidationException",
                    f'Cannot create already existing endpoint "{self._arn(name)}".',
                )
            self._check_quota(config)
            endpoint = Endpoint(name, self._arn(name), self._clock.now())
            endpoint.deployment = self._deployment(config, Plan())
            self._endpoints[name] = endpoint
        return {"EndpointArn": endpoint.arn}

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported("UpdateEndpoint", request)
        plan = Plan.parse(request.get("DeploymentConfig", {}))
        with self._lock:
            endpoint = self.get(request["EndpointName"])
            if endpoint.status in _IN_PROGRESS:
                message = f'Cannot update in-progress endpoint "{endpoint.arn}".'
                raise ApiError("ValidationException", message)
            if endpoint.status == "Failed":
                message = f'Cannot update endpoint "{endpoint.arn}" with status "Failed".'
                raise ApiError("ValidationException", message)
            config = self._configs.get(request["EndpointConfigName"])
            self._check_quota(config)
            self._check_scaled(endpoint.name, config)
            endpoint.failure_reason = ""
            endpoint.deployment = self._deployment(config, plan)
        return {"EndpointArn": endpoint.arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        endpoint = self.get(request["EndpointName"])
        with endpoint.lock:
            fleet, deployment = endpoint.fleet, endpoint.deployment
            shown = fleet or (deployment.target if deployment else None)
            description: dict[str, Any] = {
                "EndpointName": endpoint.name,
                "EndpointArn": endpoint.arn,
                "EndpointConfigName": shown.config.name if shown else "",
                "EndpointStatus": endpoint.status,
                "CreationTime": endpoint.created,
                "LastModifiedTime": endpoint.modified or endpoint.created,
            }
            if fleet:
                description["ProductionVariants"] = [_variant(each) for each in fleet.config.variants]  # fmt: skip
            if deployment and fleet:
                pending = {"EndpointConfigName": deployment.target.config.name}
                description["PendingDeploymentSummary"] = pending
            if endpoint.failure_reason:
                description["FailureReason"] = endpoint.failure_reason
        return description

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = [self._find(name) for name in list(self._endpoints)]
        summaries = [
            {
                "EndpointName": each.name,
                "EndpointArn": each.arn,
                "CreationTime": each.created,
                "LastModifiedTime": each.modified or each.created,
                "EndpointStatus": each.status,
            }
            for each in found
            if each and request.get("NameContains", "") in each.name
        ]
        return {"Endpoints": summaries[::-1]}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        endpoint = self.get(request["EndpointName"])
        if endpoint.status in _IN_PROGRESS:
            message = f'Cannot update in-progress endpoint "{endpoint.arn}".'
            raise ApiError("ValidationException", message)
        endpoint.deleted_at = self._clock.now()
        return {}

    def get(self, name: str) -> Endpoint:
        endpoint = self._find(name)
        if endpoint is None:
            raise ApiError("ValidationException", f'Could not find endpoint "{self._arn(name)}".')
        return endpoint

    def serving(self, name: str) -> Fleet | None:
        """Return the fleet that serves the next request to an endpoint; None if there is none."""
        endpoint = self._find(name)
        if endpoint is None or endpoint.deleted_at:
            return None
        with endpoint.lock:
            return endpoint.fleet_of_next_request(self._clock.now())

    def variants(self, name: str) -> Sequence[Mapping[str, Any]]:
        """Return the variants of an endpoint as it is described, none if there is no such endpoint."""
        if self._find(name) is None:
            return []
        found: Sequence[Mapping[str, Any]]
        found = self.describe({"EndpointName": name}).get("ProductionVariants", [])
        return found

    def in_service(self) -> dict[str, Sequence[str]]:
        """Return the names of the variants that could answer a request now, by endpoint."""
        return {
            name: _variants_in_service(endpoint, self._clock.now())
            for name in list(self._endpoints)
            if (endpoint := self._find(name)) and not endpoint.deleted_at
        }

    def _find(self, name: str) -> Endpoint | None:
        """Return an endpoint as it is by now."""
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            return None
        with endpoint.lock:
            self._bring_up_to_date(endpoint, self._clock.now())
        return self._endpoints.get(name)

    def _bring_up_to_date(self, endpoint: Endpoint, now: datetime) -> None:
        if endpoint.deleted_at:
            if now >= endpoint.deleted_at + timedelta(seconds=self._behaviour.endpoint_seconds):
                self._endpoints.pop(endpoint.name, None)
            return
        deployment = endpoint.deployment
        if deployment is None:
            return
        if deployment.rolls_back_until is None:
            self._progress(endpoint, deployment, now)
        if deployment.rolls_back_until and now >= deployment.rolls_back_until:
            endpoint.failure_reason = deployment.reason
            endpoint.deployment, endpoint.modified = None, now

    def _progress(self, endpoint: Endpoint, deployment: Deployment, now: datetime) -> None:
        alarm = next((each for each in deployment.plan.alarms if self._in_alarm(each)), None)
        if deployment.has_failed(now):
            self._fail(endpoint, deployment, now, deployment.outcome.reason)
        elif alarm and endpoint.fleet:
            self._fail(endpoint, deployment, now, f"One or more alarms were triggered: {alarm}")
        elif deployment.is_complete(now):
            endpoint.fleet, endpoint.deployment = deployment.target, None
            endpoint.modified = deployment.ends

    def _fail(self, endpoint: Endpoint, deployment: Deployment, now: datetime, why: str) -> None:
        if endpoint.fleet:
            deployment.roll_back(now, why)
        else:
            endpoint.failure_reason = why
            endpoint.deployment, endpoint.modified = None, now

    def _deployment(self, config: EndpointConfig, plan: Plan) -> Deployment:
        outcome = self._behaviour.outcome_of(config.name)
        try:
            fleet = Fleet(config, self._forests(config))
        except (JobFailure, ApiError) as error:
            fleet, outcome = (
                Fleet(config, {}),
                JobOutcome(lambda _: True, OutcomeKind.FAIL, str(error)),
            )
        return Deployment(fleet, plan, self._clock.now(), self._behaviour.endpoint_seconds, outcome)

    def _forests(self, config: EndpointConfig) -> dict[str, random_cut_forest.Forest]:
        return {
            each["VariantName"]: random_cut_forest.load(self._models.artefact(each["ModelName"]))
            for each in config.variants
        }

    def _check_quota(self, config: EndpointConfig) -> None:
        for kind, asked in config.instances.items():
            quota, in_use = self._behaviour.quota(kind), self._in_use(kind)
            if in_use + asked > quota:
                raise ApiError(
                    "ResourceLimitExceeded",
                    f"The account-level service limit '{kind} for endpoint usage' is {quota} Instances, "
                    f"with current utilization of {in_use} Instances and a request delta of {asked} Instances. "
                    "Please use AWS Service Quotas to request an increase for this quota.",
                )

    def _check_scaled(self, name: str, config: EndpointConfig) -> None:
        kept = {each["VariantName"] for each in config.variants}
        gone = [each for each in self.scaled_variants(name) if each not in kept]
        if gone:
            raise ApiError(
                "ValidationException",
                f'The variant(s) "{gone}" must be deregistered as scalable targets with AWS Auto Scaling '
                "before they can be removed or have their instance type updated.",
            )

    def _in_use(self, kind: str) -> int:
        fleets = [
            fleet
            for each in list(self._endpoints.values())
            for fleet in (each.fleet, each.deployment.target if each.deployment else None)
            if fleet
        ]
        return sum(fleet.config.instances.get(kind, 0) for fleet in fleets)

    def _arn(self, name: str) -> str:
        return arns.arn(self._region, "endpoint", name)


def _variants_in_service(endpoint: Endpoint, now: datetime) -> list[str]:
    fleets = [endpoint.fleet] if endpoint.fleet else []
    deployment = endpoint.deployment
    if deployment and endpoint.fleet and deployment.share(now):
        fleets.append(deployment.target)
    return [variant["VariantName"] for fleet in fleets for variant in fleet.config.variants]


def _variant(variant: Mapping[str, Any]) -> dict[str, Any]:
    weight = variant.get("InitialVariantWeight", 1.0)
    summary: dict[str, Any] = {
        "VariantName": variant["VariantName"],
        "CurrentWeight": weight,
        "DesiredWeight": weight,
    }
    if "ServerlessConfig" in variant:
        return summary | {"CurrentServerlessConfig": variant["ServerlessConfig"]}
    count = variant["InitialInstanceCount"]
    return summary | {"CurrentInstanceCount": count, "DesiredInstanceCount": count}
