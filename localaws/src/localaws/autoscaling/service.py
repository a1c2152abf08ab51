"""Scalable targets and policies of endpoint variants: kept and checked. The number of instances stays as it is."""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from localaws.api_request import ApiRequest
from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.request_validation import validate

_SERVICE = "application-autoscaling"
_NAMESPACE, _DIMENSION = "sagemaker", "sagemaker:variant:DesiredInstanceCount"
_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_PREDEFINED = (
    "SageMakerVariantInvocationsPerInstance",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution",
)

Described = dict[str, Any]
Parameters = Mapping[str, Any]
# The variants of an endpoint as DescribeEndpoint shows them, none if there is no such endpoint.
Variants = Callable[[str], Sequence[Mapping[str, Any]]]


class AutoScaling:
    """Targets by their resource, each with its policies by name."""

    def __init__(self, region: str, clock: Clock, variants: Variants) -> None:
        self._region = region
        self._clock = clock
        self._variants = variants
        self._lock = threading.Lock()
        self._targets: dict[str, Described] = {}
        self._policies: dict[str, dict[str, Described]] = {}
        self._operations: Mapping[str, Callable[[Parameters], Described]] = {
            "RegisterScalableTarget": self._register,
            "DescribeScalableTargets": self._describe_targets,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DeleteScalingPolicy": self._delete_policy,
        }

    def serves(self, operation: str) -> bool:  # noqa: ARG002 - what is not here is refused by name
        return True

    def answer(self, request: ApiRequest) -> Mapping[str, Any]:
        operation = self._operations.get(request.operation)
        if operation is None:
            raise _invalid(f"The local Auto Scaling does not implement {request.operation}.")
        validate(_SERVICE, request.operation, request.parameters)
        if request.parameters["ServiceNamespace"] != _NAMESPACE:
            raise _invalid(f"The local Auto Scaling scales {_NAMESPACE} only.")
        with self._lock:
            return operation(request.parameters)

    def scaled_variants(self, endpoint: str) -> list[str]:
        """Return the variants of an endpoint that are registered."""
        found = (_RESOURCE.fullmatch(resource) for resource in self._targets)
        return [match[2] for match in found if match and match[1] == endpoint]

    def _register(self, parameters: Parameters) -> Described:
        resource = self._resource(parameters)
        known = self._targets.get(resource, {})
        try:
            least, most = ({**known, **parameters}[name] for name in ("MinCapacity", "MaxCapacity"))
        except KeyError as missing:
            raise _invalid(f"{missing.args[0]} is required to register a target") from None
        if least > most:
            raise _invalid("Maximum capacity cannot be less than minimum capacity")
        arn = f"arn:aws:{_SERVICE}:{self._region}:{ACCOUNT_ID}:scalable-target/{_id(resource)}"
        self._targets[resource] = {
            "ServiceNamespace": _NAMESPACE,
            "ResourceId": resource,
            "ScalableDimension": _DIMENSION,
            "MinCapacity": least,
            "MaxCapacity": most,
            "CreationTime": known.get("CreationTime", self._clock.now()),
            "ScalableTargetARN": arn,
        }
        return {"ScalableTargetARN": arn}

    def _resource(self, parameters: Parameters) -> str:
        """Return the resource of a request, which must be a variant in service with instances."""
        resource: str = parameters["ResourceId"]
        match = _RESOURCE.fullmatch(resource)
        if match is None or parameters["ScalableDimension"] != _DIMENSION:
            raise _invalid("Unsupported service namespace, resource type or scalable dimension")
        named = (each for each in self._variants(match[1]) if each["VariantName"] == match[2])
        variant = next(named, None)
        if variant is None:
            raise _invalid(f"Could not find a variant in service: {resource}")
        if "CurrentServerlessConfig" in variant:
            raise _invalid(f"{_DIMENSION} is not a dimension of a serverless variant: {resource}")
        return resource

    def _deregister(self, parameters: Parameters) -> Described:
        resource = self._known(parameters)
        del self._targets[resource]
        self._policies.pop(resource, None)
        return {}

    def _known(self, parameters: Parameters) -> str:
        resource: str = parameters["ResourceId"]
        if resource not in self._targets:
            message = f"No scalable target registered for service namespace: {_NAMESPACE}, resource ID: {resource}, scalable dimension: {_DIMENSION}"
            raise ApiError("ObjectNotFoundException", message)
        return resource

    def _put_policy(self, parameters: Parameters) -> Described:
        resource = self._known(parameters)
        if parameters.get("PolicyType") != "TargetTrackingScaling":
            raise _invalid("The local Auto Scaling tracks targets only: TargetTrackingScaling.")
        tracking = parameters["TargetTrackingScalingPolicyConfiguration"]
        predefined = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
        if predefined not in _PREDEFINED:
            raise _invalid(f"Unsupported predefined metric of {_NAMESPACE}: {predefined}")
        if tracking["TargetValue"] <= 0:
            raise _invalid("TargetValue must be greater than 0")
        name = parameters["PolicyName"]
        arn = f"arn:aws:autoscaling:{self._region}:{ACCOUNT_ID}:scalingPolicy:{_id(resource)}:policyName/{name}"
        policy = {**parameters, "PolicyARN": arn, "CreationTime": self._clock.now()}
        self._policies.setdefault(resource, {})[name] = policy
        return {"PolicyARN": arn, "Alarms": []}

    def _delete_policy(self, parameters: Parameters) -> Described:
        policies = self._policies.get(self._known(parameters), {})
        if parameters["PolicyName"] not in policies:
            raise ApiError("ObjectNotFoundException", "No scaling policy found")
        del policies[parameters["PolicyName"]]
        return {}

    def _describe_targets(self, parameters: Parameters) -> Described:
        asked = parameters.get("ResourceIds") or list(self._targets)
        return {"ScalableTargets": [self._targets[each] for each in asked if each in self._targets]}

    def _describe_policies(self, parameters: Parameters) -> Described:
        asked = parameters.get("ResourceId")
        found = [
            policy
            for resource, policies in self._policies.items()
            for policy in policies.values()
            if asked in (None, resource)
        ]
        return {"ScalingPolicies": found}


def _id(resource: str) -> str:
    return re.sub(r"\W", "-", resource)


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)
