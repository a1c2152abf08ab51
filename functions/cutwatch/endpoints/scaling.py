"""Automatic scaling of the instances of the variant in service."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.errors import NotFound

_POLICY = "invocations"
_METRIC = "SageMakerVariantInvocationsPerInstance"


@dataclass(frozen=True)
class VariantScaling:
    """Scales one endpoint between its instance count and `max_instance_count`, 0 for a fixed count.

    A variant has the name of its model, so each deployment registers another target; `autoscaling` is a client of
    Application Auto Scaling.
    """

    autoscaling: Any
    settings: EndpointSettings

    @property
    def is_enabled(self) -> bool:
        """Return True if the endpoint is scaled by this. A serverless endpoint needs no targets."""
        return bool(self.settings.max_instance_count) and not self.settings.serverless_memory

    def start(self, variant: str) -> None:
        """Scale a variant in service. A repetition changes nothing."""
        if not self.is_enabled:
            return
        self.autoscaling.register_scalable_target(
            **self._target(variant),
            MinCapacity=self.settings.instance_count,
            MaxCapacity=self.settings.max_instance_count,
        )
        self.autoscaling.put_scaling_policy(
            **self._target(variant),
            PolicyName=_POLICY,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": float(self.settings.invocations_per_instance),
                "PredefinedMetricSpecification": {"PredefinedMetricType": _METRIC},
            },
        )

    def stop(self, variant: str) -> None:
        """Leave a variant as it is: SageMaker removes none that is scaled. It may have been scaled by an earlier deployment."""
        with suppress(NotFound):
            self.autoscaling.deregister_scalable_target(**self._target(variant))

    def _target(self, variant: str) -> dict[str, str]:
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{self.settings.endpoint_name}/variant/{variant}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }
