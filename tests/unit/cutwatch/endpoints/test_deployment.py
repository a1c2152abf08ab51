"""Deployments are started once, only with a cutoff, and never while another is under way."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.endpoints.deployment import Deployment, EndpointDeployer
from cutwatch.endpoints.requests import endpoint_config_request, update_request
from cutwatch.endpoints.retirement import ModelRetirer
from cutwatch.endpoints.scaling import VariantScaling
from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.errors import CutoffMissing, DeploymentUnderWay, NameInUse, NotFound, RejectedRequest
from tests.support.watched_tables import NEW, OLD, MemoryTable, cutoff

NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)
THIRD = "model-0"


def settings(**fields: Any) -> EndpointSettings:
    defaults: dict[str, Any] = {
        "watched_table": "taxi",
        "endpoint_name": "taxi",
        "table_name": "registry",
        "bucket_name": "data",
        "rollback_alarms": ("taxi: changes cannot be scored",),
    }
    return EndpointSettings(**{**defaults, **fields})


class FakeSageMaker:
    """An endpoint, described as a test says, and the calls that were made."""

    def __init__(self, status: str | None, serves: str = OLD, pending: str = "") -> None:
        self.status, self.serves, self.pending = status, serves, pending
        self.calls: list[str] = []
        self.configs: set[str] = set()

    def describe_endpoint(self, EndpointName: str) -> Mapping[str, Any]:  # noqa: N803
        if self.status is None:
            raise NotFound("DescribeEndpoint", "ValidationException", "Could not find endpoint")
        pending = (
            {"PendingDeploymentSummary": {"EndpointConfigName": self.pending}}
            if self.pending
            else {}
        )
        variants = {"ProductionVariants": [{"VariantName": self.serves}]} if self.serves else {}
        return {
            "EndpointStatus": self.status,
            "EndpointConfigName": self.serves,
            **variants,
            **pending,
        }

    def create_endpoint_config(self, **request: Any) -> None:
        name = request["EndpointConfigName"]
        if name in self.configs:
            raise NameInUse("CreateEndpointConfig", "ValidationException", "already existing")
        self.configs.add(name)

    def __getattr__(self, call: str) -> Any:
        def called(**request: Any) -> None:
            subject = request.get("EndpointConfigName") or request.get("ModelName") or ""
            self.calls.append(f"{call} {subject}".strip())

        return called


class FakeScaling:
    """Scalable targets by their resource, and the values of their policies."""

    def __init__(self) -> None:
        self.targets: dict[str, tuple[int, int]] = {}
        self.policies: dict[str, float] = {}

    def register_scalable_target(self, **request: Any) -> None:
        self.targets[request["ResourceId"]] = (request["MinCapacity"], request["MaxCapacity"])

    def put_scaling_policy(self, **request: Any) -> None:
        value = request["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
        self.policies[request["ResourceId"]] = value

    def deregister_scalable_target(self, **request: Any) -> None:
        if request["ResourceId"] not in self.targets:
            raise NotFound("DeregisterScalableTarget", "ObjectNotFoundException", "No target")
        del self.targets[request["ResourceId"]]


def deployer(
    sagemaker: FakeSageMaker, *variants: str, scaling: FakeScaling | None = None, **fields: Any
) -> EndpointDeployer:
    store = CutoffStore(MemoryTable(), "taxi")  # type: ignore[arg-type]
    for age, variant in enumerate(variants):
        store.record(cutoff(variant, trained_at=f"2026-10-{30 - age}T00:00:00Z"))
    chosen = settings(**fields)
    variant_scaling = VariantScaling(scaling or FakeScaling(), chosen)
    return EndpointDeployer(sagemaker, chosen, store, variant_scaling)  # type: ignore[arg-type]


def test_the_first_deployment_creates_the_endpoint_and_later_ones_update_it() -> None:
    first = FakeSageMaker(None)
    assert deployer(first, NEW).start(NEW, [], NOW).status == "Creating"
    assert first.calls == [f"create_endpoint {NEW}"]
    later = FakeSageMaker("InService", OLD)
    started = deployer(later, NEW).start(NEW, [], NOW)
    assert later.calls == [f"update_endpoint {NEW}"]
    assert started == Deployment(NEW, "Updating", "2026-11-01T04:00:00Z")


def test_a_model_without_a_cutoff_is_never_deployed() -> None:
    sagemaker = FakeSageMaker("InService", OLD)
    with pytest.raises(CutoffMissing, match="must not serve"):
        deployer(sagemaker, OLD).start(NEW, [], NOW)
    assert (sagemaker.calls, sagemaker.configs) == ([], set())


@pytest.mark.parametrize(
    ("sagemaker", "status"),
    [
        (FakeSageMaker("InService", NEW), "InService"),
        (FakeSageMaker("Updating", OLD, NEW), "Updating"),
        (FakeSageMaker("Creating", "", NEW), "Creating"),
    ],
)
def test_a_repetition_finds_its_own_deployment(sagemaker: FakeSageMaker, status: str) -> None:
    sagemaker.configs.add(NEW)
    assert deployer(sagemaker, NEW).start(NEW, [], NOW).status == status
    assert sagemaker.calls == []


@pytest.mark.parametrize(
    "status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"]
)
def test_another_models_deployment_is_waited_for(status: str) -> None:
    sagemaker = FakeSageMaker(status, OLD, "model-of-another-run")
    with pytest.raises(DeploymentUnderWay, match=status):
        deployer(sagemaker, NEW).start(NEW, [], NOW)
    assert sagemaker.calls == []


def test_a_failed_endpoint_is_replaced() -> None:
    sagemaker = FakeSageMaker("Failed", "")
    with pytest.raises(DeploymentUnderWay, match="is being deleted"):
        deployer(sagemaker, NEW).start(NEW, [], NOW)
    assert sagemaker.calls == ["delete_endpoint"]


def test_the_status_says_which_model_serves_and_when_it_is_overdue() -> None:
    deployment = Deployment(NEW, "Updating", "2026-11-01T04:00:00Z")
    rolled_back = deployer(FakeSageMaker("InService", OLD)).status(deployment, NOW)
    serves = deployer(FakeSageMaker("InService", NEW)).status(deployment, NOW)
    late = deployer(FakeSageMaker("Updating", OLD, NEW)).status(
        deployment, NOW + timedelta(hours=2)
    )
    assert (rolled_back.status, rolled_back.serves) == ("InService", False)
    assert (serves.serves, serves.overdue) == (True, False)
    assert (late.serves, late.overdue) == (False, True)


def test_rolling_back_takes_the_newest_other_model_or_the_one_that_is_named() -> None:
    assert (
        deployer(FakeSageMaker("InService", NEW), NEW, OLD, THIRD).roll_back(None, NOW).model == OLD
    )
    assert (
        deployer(FakeSageMaker("InService", NEW), NEW, OLD, THIRD).roll_back(THIRD, NOW).model
        == THIRD
    )


def test_a_model_that_was_rolled_back_is_neither_returned_to_nor_kept_for_it() -> None:
    """The newest is bad: it is rolled back, and after the next training the one that served in its place is the one before."""
    sagemaker, next_model = FakeSageMaker("InService", NEW), "model-3"
    endpoint = deployer(sagemaker, NEW, OLD)
    assert endpoint.roll_back(None, NOW).model == OLD
    sagemaker.serves = OLD
    endpoint.cutoffs.record(cutoff(next_model, trained_at="2026-11-02T00:00:00Z"))
    endpoint.start(next_model, [], NOW + timedelta(days=1))
    sagemaker.serves = next_model
    retirer = ModelRetirer(sagemaker, endpoint.cutoffs)  # type: ignore[arg-type]
    assert retirer.retire(next_model) == [NEW]
    assert endpoint.roll_back(None, NOW + timedelta(days=2)).model == OLD


def test_a_model_that_never_served_is_not_the_one_before() -> None:
    sagemaker, failed, next_model = FakeSageMaker("InService", OLD), NEW, "model-3"
    endpoint = deployer(sagemaker, next_model, failed, OLD)
    endpoint.start(next_model, [], NOW)
    sagemaker.serves = next_model
    assert endpoint.roll_back(None, NOW + timedelta(days=1)).model == OLD


@pytest.mark.parametrize("to", ["unknown", NEW])
def test_only_a_model_with_a_cutoff_that_does_not_serve_can_be_rolled_back_to(to: str) -> None:
    sagemaker = FakeSageMaker("InService", NEW)
    with pytest.raises(CutoffMissing, match=f"no model {to} to roll back to.*{OLD}"):
        deployer(sagemaker, NEW, OLD).roll_back(to, NOW)
    assert sagemaker.calls == []


def test_the_served_model_and_the_newest_other_are_kept() -> None:
    store = deployer(FakeSageMaker(None), NEW, OLD, THIRD).cutoffs
    sagemaker = FakeSageMaker("InService", NEW)
    retirer = ModelRetirer(sagemaker, store)  # type: ignore[arg-type]
    assert retirer.retire(NEW) == [THIRD]
    assert sagemaker.calls == [f"delete_endpoint_config {THIRD}", f"delete_model {THIRD}"]
    assert retirer.retire(NEW) == []
    assert [each.variant for each in store.all()] == [NEW, OLD]


def test_a_model_that_another_execution_is_about_to_deploy_is_kept() -> None:
    sagemaker, mine = FakeSageMaker("InService", OLD), "model-3"
    endpoint = deployer(sagemaker, NEW, mine, OLD)
    endpoint.start(mine, [], NOW)
    sagemaker.serves = mine
    retirer = ModelRetirer(sagemaker, endpoint.cutoffs)  # type: ignore[arg-type]
    assert retirer.retire(mine) == []
    assert endpoint.start(NEW, [], NOW + timedelta(hours=1)).status == "Updating"
    sagemaker.serves = NEW
    assert retirer.retire(NEW) == [OLD]


def test_a_variant_has_the_name_of_its_model_on_instances_and_without() -> None:
    [variant] = endpoint_config_request(settings(), NEW, [])["ProductionVariants"]
    assert variant["VariantName"] == variant["ModelName"] == NEW
    assert variant["InstanceType"] == "ml.m5.large"
    [serverless] = endpoint_config_request(settings(serverless_memory=2048), NEW, [])[
        "ProductionVariants"
    ]
    assert serverless["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InstanceType" not in serverless


def test_an_update_bakes_under_the_alarm_that_rolls_it_back_except_without_instances() -> None:
    deployment = update_request(settings(), NEW)["DeploymentConfig"]
    alarms = deployment["AutoRollbackConfiguration"]["Alarms"]
    assert alarms == [{"AlarmName": "taxi: changes cannot be scored"}]
    assert deployment["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 600
    assert "DeploymentConfig" not in update_request(settings(serverless_memory=2048), NEW)


def test_the_variant_in_service_is_scaled_and_released_before_it_is_replaced() -> None:
    scaling, deployment = FakeScaling(), Deployment(OLD, "Updating", "2026-11-01T04:00:00Z")
    scaled: dict[str, Any] = {
        "max_instance_count": 4,
        "invocations_per_instance": 700,
        "scaling": scaling,
    }
    deployer(FakeSageMaker("Updating", "", OLD), OLD, **scaled).status(deployment, NOW)
    assert scaling.targets == {}
    deployer(FakeSageMaker("InService", OLD), OLD, **scaled).status(deployment, NOW)
    assert scaling.targets == {f"endpoint/taxi/variant/{OLD}": (1, 4)}
    assert scaling.policies == {f"endpoint/taxi/variant/{OLD}": 700.0}
    deployer(FakeSageMaker("InService", OLD), NEW, **scaled).start(NEW, [], NOW)
    assert scaling.targets == {}


def test_after_a_rollback_the_model_before_is_scaled_again() -> None:
    scaling, deployment = FakeScaling(), Deployment(NEW, "Updating", "2026-11-01T04:00:00Z")
    rolled_back = FakeSageMaker("InService", OLD)
    deployer(rolled_back, max_instance_count=4, scaling=scaling).status(deployment, NOW)
    assert list(scaling.targets) == [f"endpoint/taxi/variant/{OLD}"]


def test_a_refused_update_leaves_the_variant_scaled() -> None:
    class Refusing(FakeSageMaker):
        def update_endpoint(self, **_: Any) -> None:
            raise RejectedRequest("UpdateEndpoint", "ValidationException", "no")

    scaling = FakeScaling()
    refused = deployer(Refusing("InService", OLD), NEW, max_instance_count=4, scaling=scaling)
    with pytest.raises(RejectedRequest):
        refused.start(NEW, [], NOW)
    assert list(scaling.targets) == [f"endpoint/taxi/variant/{OLD}"]


@pytest.mark.parametrize("fields", [{}, {"max_instance_count": 4, "serverless_memory": 2048}])
def test_an_endpoint_of_fixed_size_or_without_instances_is_not_scaled(
    fields: dict[str, Any],
) -> None:
    scaling, deployment = FakeScaling(), Deployment(OLD, "Updating", "2026-11-01T04:00:00Z")
    deployer(FakeSageMaker("InService", OLD), scaling=scaling, **fields).status(deployment, NOW)
    assert scaling.targets == {}
