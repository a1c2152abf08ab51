"""Endpoint configurations: which variants an endpoint has, each with a model and the capacity to run it."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.sagemaker import arns
from localaws.sagemaker.models import Models
from localaws.sagemaker.supported import not_implemented, refuse_unsupported

_DEFAULT_PAGE = 10
_VARIANT_FIELDS = frozenset(
    {
        "VariantName",
        "ModelName",
        "InitialInstanceCount",
        "InstanceType",
        "InitialVariantWeight",
        "ServerlessConfig",
    }
)


@dataclass(frozen=True)
class EndpointConfig:
    """A configuration as it was created; it never changes."""

    name: str
    request: Mapping[str, Any]
    created: datetime

    @property
    def variants(self) -> list[Mapping[str, Any]]:
        variants: list[Mapping[str, Any]] = self.request["ProductionVariants"]
        return variants

    @property
    def instances(self) -> dict[str, int]:
        """Instances by type; serverless variants have none."""
        counts: dict[str, int] = {}
        for variant in self.variants:
            if kind := variant.get("InstanceType"):
                counts[kind] = counts.get(kind, 0) + variant["InitialInstanceCount"]
        return counts


class EndpointConfigs:
    def __init__(self, region: str, clock: Clock, models: Models) -> None:
        self._region = region
        self._clock = clock
        self._models = models
        self._lock = threading.Lock()
        self._configs: dict[str, EndpointConfig] = {}

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported("CreateEndpointConfig", request)
        for variant in request["ProductionVariants"]:
            self._check_variant(variant)
        _check_names(request["ProductionVariants"])
        name = request["EndpointConfigName"]
        with self._lock:
            if name in self._configs:
                raise ApiError(
                    "ValidationException",
                    f'Cannot create already existing endpoint configuration "{self._arn(name)}".',
                )
            self._configs[name] = EndpointConfig(name, request, self._clock.now())
        return {"EndpointConfigArn": self._arn(name)}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        config = self.get(request["EndpointConfigName"])
        return {
            **{key: value for key, value in config.request.items() if key != "Tags"},
            "EndpointConfigArn": self._arn(config.name),
            "CreationTime": config.created,
        }

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        found = [
            config
            for config in self._configs.values()
            if request.get("NameContains", "") in config.name
        ]
        by_name = request.get("SortBy") == "Name"
        found.sort(
            key=lambda config: config.name if by_name else config.created,
            reverse=request.get("SortOrder", "Descending") == "Descending",
        )
        start = int(request.get("NextToken", 0))
        end = start + request.get("MaxResults", _DEFAULT_PAGE)
        more = {"NextToken": str(end)} if end < len(found) else {}
        return {"EndpointConfigs": [self._summary(each) for each in found[start:end]], **more}

    def delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Delete a configuration, even of an endpoint in service, as SageMaker does: it warns, but does not refuse."""
        self.get(request["EndpointConfigName"])
        with self._lock:
            self._configs.pop(request["EndpointConfigName"], None)
        return {}

    def get(self, name: str) -> EndpointConfig:
        config = self._configs.get(name)
        if config is None:
            raise ApiError(
                "ValidationException", f'Could not find endpoint configuration "{self._arn(name)}".'
            )
        return config

    def _check_variant(self, variant: Mapping[str, Any]) -> None:
        for name in sorted(variant.keys() - _VARIANT_FIELDS):
            raise not_implemented(f"{name} of a production variant")
        self._models.get(variant.get("ModelName", ""))
        if ("ServerlessConfig" in variant) == ("InstanceType" in variant):
            raise ApiError(
                "ValidationException",
                "One or more endpoint features are invalid: a variant has either an InstanceType or a ServerlessConfig.",
            )
        if "InstanceType" in variant and "InitialInstanceCount" not in variant:
            raise ApiError(
                "ValidationException", f"Variant {variant['VariantName']} has no instance count."
            )

    def _summary(self, config: EndpointConfig) -> dict[str, Any]:
        return {
            "EndpointConfigName": config.name,
            "EndpointConfigArn": self._arn(config.name),
            "CreationTime": config.created,
        }

    def _arn(self, name: str) -> str:
        return arns.arn(self._region, "endpoint-config", name)


def _check_names(variants: list[Mapping[str, Any]]) -> None:
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise ApiError("ValidationException", "Variant names must be unique within a configuration")
