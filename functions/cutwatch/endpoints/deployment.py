"""Deployment of a model to the endpoint: idempotent starts, status, and the way back."""

from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len

from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.endpoints.requests import Tags, endpoint_config_request, update_request
from cutwatch.endpoints.scaling import VariantScaling
from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.errors import (
    CutoffMissing,
    DeploymentUnderWay,
    NameInUse,
    NotFound,
    RejectedRequest,
)
from cutwatch.payloads import read
from cutwatch.timestamps import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient

_UNDER_WAY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")
_NO_REASON = "SageMaker gives no reason"


@dataclass(frozen=True)
class Deployment:
    """A deployment in the state machine. `status` is SageMaker's; it is `serves` once the model is in service."""

    model: Annotated[str, Len(1)]
    status: str
    deadline: str
    reason: str = ""
    serves: bool = False
    overdue: bool = False

    def to_payload(self) -> dict[str, Any]:
        """Return the deployment as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Any) -> "Deployment":
        """Read a payload. Raises `InvalidInput`."""
        return read(cls, payload, "deployment")


@dataclass(frozen=True)
class Endpoint:
    """The endpoint in SageMaker: status, reason, the model in service and the one being deployed, empty without one."""

    status: str
    reason: str
    serves: str
    pending: str


@dataclass(frozen=True)
class EndpointDeployer:
    """Deploys models to one endpoint. A model is deployed only if its cutoff is recorded."""

    sagemaker: "SageMakerClient"
    settings: EndpointSettings
    cutoffs: CutoffStore
    scaling: VariantScaling

    def start(self, model: str, tags: Tags, now: datetime) -> Deployment:
        """Deploy a model, unless it is being deployed or is in service.

        Raises `CutoffMissing`, and `DeploymentUnderWay` while another model is being deployed or a failed endpoint deleted.
        """
        if self.cutoffs.get(model) is None:
            raise CutoffMissing(
                f"model {model} has no cutoff in the registry, so it must not serve"
            )
        with suppress(NameInUse):
            self.sagemaker.create_endpoint_config(
                **endpoint_config_request(self.settings, model, tags)
            )
        status = self._deploy(model, tags, now)
        return Deployment(model, status, format_timestamp(now + self.settings.deadline))

    def status(self, deployment: Deployment, now: datetime) -> Deployment:
        """Return the deployment with the endpoint's present status; it is overdue once its deadline has passed.

        Scale the variant that serves, the model before after a rollback.
        """
        endpoint = self.endpoint()
        if endpoint.status == "InService":
            self.scaling.start(endpoint.serves)
        return Deployment(
            deployment.model,
            endpoint.status,
            deployment.deadline,
            endpoint.reason,
            endpoint.status == "InService" and endpoint.serves == deployment.model,
            now > parse_timestamp(deployment.deadline, "deadline"),
        )

    def roll_back(self, to: str | None, now: datetime) -> Deployment:
        """Deploy the model `to`, or the one that served last before that in service. Raises `CutoffMissing` if there is none."""
        serves = self.endpoint().serves
        others = [each.variant for each in self.cutoffs.all() if each.variant != serves]
        model = to or next(iter(others), None)
        if model not in others:
            known = ", ".join(others) or "none"
            raise CutoffMissing(
                f"there is no model {to or ''} to roll back to; models with a cutoff that do not serve: {known}"
            )
        status = self._deploy(str(model), [], now)
        return Deployment(str(model), status, format_timestamp(now + self.settings.deadline))

    def endpoint(self) -> Endpoint:
        """Return the endpoint as SageMaker describes it. Raises `NotFound`."""
        answer = self.sagemaker.describe_endpoint(EndpointName=self.settings.endpoint_name)
        variants = answer.get("ProductionVariants", [])
        return Endpoint(
            answer["EndpointStatus"],
            answer.get("FailureReason", _NO_REASON),
            variants[0]["VariantName"] if variants else "",
            answer.get("PendingDeploymentSummary", {}).get(
                "EndpointConfigName", answer.get("EndpointConfigName", "")
            ),
        )

    def _deploy(self, model: str, tags: Tags, now: datetime) -> str:
        try:
            endpoint = self.endpoint()
        except NotFound:
            return self._create(model, tags)
        if endpoint.status in _UNDER_WAY:
            return self._under_way(endpoint, model)
        if endpoint.status == "Failed":
            self.sagemaker.delete_endpoint(EndpointName=self.settings.endpoint_name)
            raise DeploymentUnderWay(
                f"endpoint {self.settings.endpoint_name} had failed, and is being deleted: {endpoint.reason}"
            )
        if endpoint.serves == model:
            return endpoint.status
        return self._update(model, endpoint.serves, now)

    def _update(self, model: str, serves: str, now: datetime) -> str:
        # A later rollback returns to it, not to a model that never served or that was rolled back.
        self.cutoffs.mark_replaced(serves, format_timestamp(now))
        self.scaling.stop(serves)
        try:
            self.sagemaker.update_endpoint(**update_request(self.settings, model))
        except RejectedRequest:
            # An update whose answer was lost is under way; so may be another execution's.
            endpoint = self.endpoint()
            if endpoint.status not in _UNDER_WAY:
                self.scaling.start(serves)
                raise
            return self._under_way(endpoint, model)
        return "Updating"

    def _under_way(self, endpoint: Endpoint, model: str) -> str:
        """Return the status of a model's own deployment; raises `DeploymentUnderWay` for any other."""
        if endpoint.pending == model and endpoint.status in ("Creating", "Updating"):
            return endpoint.status
        raise DeploymentUnderWay(
            f"endpoint {self.settings.endpoint_name} is {endpoint.status} with model {endpoint.pending}"
        )

    def _create(self, model: str, tags: Tags) -> str:
        try:
            self.sagemaker.create_endpoint(
                EndpointName=self.settings.endpoint_name,
                EndpointConfigName=model,
                Tags=tags,  # type: ignore[arg-type]
            )
        except NameInUse as error:
            name = self.settings.endpoint_name
            raise DeploymentUnderWay(f"endpoint {name} was created meanwhile") from error
        return "Creating"
