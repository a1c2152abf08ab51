"""Automatic scaling of the variants of an endpoint."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.sagemaker_requests import ended, model, rows, training

NAMES = ("scaled", "next", "serverless")
OF_VARIANTS = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


@pytest.fixture(scope="module")
def sagemaker(aws: LocalAws, role: str, bucket: str) -> Any:
    """A client of a SageMaker with a model, a configuration of each kind, and an endpoint of two of them."""
    client = aws.client("sagemaker")
    aws.client("s3").put_object(Bucket=bucket, Key="scaled/rows.csv", Body=rows())
    client.create_training_job(**training("scaled", role, bucket, "scaled/"))
    artefact = ended(client, "Training", "scaled")["ModelArtifacts"]["S3ModelArtifacts"]
    client.create_model(**model("scaled", role, artefact))
    for name in NAMES:
        instances: dict[str, Any] = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        serverless: dict[str, Any] = {
            "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
        }
        capacity = serverless if name == "serverless" else instances
        variant = {"VariantName": name, "ModelName": "scaled", **capacity}
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    for name in ("scaled", "serverless"):
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return client


def target(name: str = "scaled", **changes: Any) -> dict[str, Any]:
    capacity = {"MinCapacity": 1, "MaxCapacity": 4}
    return OF_VARIANTS | {"ResourceId": f"endpoint/{name}/variant/{name}"} | capacity | changes


def policy(target_value: float = 700.0, metric: str = "SageMakerVariantInvocationsPerInstance") -> dict[str, Any]:  # fmt: skip
    return OF_VARIANTS | {
        "ResourceId": "endpoint/scaled/variant/scaled",
        "PolicyName": "invocations",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": target_value,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        },
    }


def test_a_scaled_variant_cannot_be_removed_before_it_is_deregistered(
    aws: LocalAws, sagemaker: Any
) -> None:
    scaling = aws.client("application-autoscaling")
    scaling.register_scalable_target(**target())
    scaling.put_scaling_policy(**policy())
    [found] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 4)
    [kept] = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert kept["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 700.0
    with pytest.raises(ClientError, match="must be deregistered as scalable targets"):
        sagemaker.update_endpoint(EndpointName="scaled", EndpointConfigName="next")
    scaling.deregister_scalable_target(**OF_VARIANTS, ResourceId="endpoint/scaled/variant/scaled")
    assert scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"] == []
    with pytest.raises(ClientError, match="ObjectNotFoundException"):
        scaling.put_scaling_policy(**policy())


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (target(MinCapacity=5), "cannot be less than minimum"),
        (target("serverless"), "not a dimension of a serverless variant"),
        (target("unknown"), "Could not find a variant in service"),
        (target(ScalableDimension="ecs:service:DesiredCount"), "Unsupported service namespace"),
        (target(ServiceNamespace="ecs"), "scales sagemaker only"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    aws: LocalAws, sagemaker: Any, wrong: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ClientError, match=reason):
        aws.client("application-autoscaling").register_scalable_target(**wrong)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (policy(0.0), "TargetValue must be greater than 0"),
        (policy(metric="ECSServiceAverageCPUUtilization"), "Unsupported predefined metric"),
        (policy() | {"PolicyType": "StepScaling"}, "tracks targets only"),
    ],
)
def test_a_policy_of_another_kind_is_refused(
    aws: LocalAws, sagemaker: Any, wrong: dict[str, Any], reason: str
) -> None:
    scaling = aws.client("application-autoscaling")
    scaling.register_scalable_target(**target())
    with pytest.raises(ClientError, match=reason):
        scaling.put_scaling_policy(**wrong)
