"""The implemented part of SageMaker's requests; the rest is refused by name, never ignored."""

import re
from collections.abc import Mapping
from typing import Any

from localaws.api_response import ApiError

_IMAGE = re.compile(
    r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.(?P<domain>amazonaws\.com(\.cn)?)/randomcutforest:1"
)

_REQUEST_FIELDS = {
    "CreateTrainingJob": {
        "TrainingJobName",
        "HyperParameters",
        "AlgorithmSpecification",
        "RoleArn",
        "InputDataConfig",
        "OutputDataConfig",
        "ResourceConfig",
        "VpcConfig",
        "StoppingCondition",
        "Tags",
        "EnableNetworkIsolation",
        "EnableInterContainerTrafficEncryption",
    },
    "CreateModel": {
        "ModelName",
        "PrimaryContainer",
        "ExecutionRoleArn",
        "Tags",
        "VpcConfig",
        "EnableNetworkIsolation",
    },
    "CreateTransformJob": {
        "TransformJobName",
        "ModelName",
        "MaxConcurrentTransforms",
        "MaxPayloadInMB",
        "BatchStrategy",
        "TransformInput",
        "TransformOutput",
        "TransformResources",
        "Tags",
    },
    "CreateEndpointConfig": {"EndpointConfigName", "ProductionVariants", "KmsKeyId", "Tags"},
    "CreateEndpoint": {"EndpointName", "EndpointConfigName", "Tags"},
    "UpdateEndpoint": {"EndpointName", "EndpointConfigName", "DeploymentConfig"},
}


def refuse_unsupported(operation: str, parameters: Mapping[str, Any]) -> None:
    for name in sorted(parameters.keys() - _REQUEST_FIELDS[operation]):
        raise not_implemented(f"{name} of {operation}")


def not_implemented(what: str) -> ApiError:
    return ApiError("ValidationException", f"The local SageMaker does not implement {what}.")


def check_image(image: str, region: str) -> None:
    """Refuse what is not the built-in Random Cut Forest of this region."""
    match = _IMAGE.fullmatch(image)
    if match is None:
        raise not_implemented(f"image {image}: only the built-in Random Cut Forest")
    domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    if match["region"] != region or match["domain"] != domain:
        raise ApiError(
            "ValidationException",
            f"Cannot find repository: randomcutforest in the registry of {image}. Please check if "
            f"your ECR repository exists in {region} and role has proper pull permissions.",
        )
