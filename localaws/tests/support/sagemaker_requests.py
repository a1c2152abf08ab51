"""Requests for SageMaker jobs, and rows for them."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"


def rows(count: int = 500, features: int = 1, seed: int = 0) -> str:
    values = np.random.default_rng(seed).normal(100, 5, (count, features))
    return "".join(",".join(f"{value:.6f}" for value in row) + "\n" for row in values)


def training(name: str, role: str, bucket: str, prefix: str, **changes: Any) -> dict[str, Any]:
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{bucket}/{prefix}",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": role,
        "HyperParameters": {"feature_dim": "1", "num_trees": "50"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv;label_size=0",
                "DataSource": {"S3DataSource": source},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return {**request, **changes}


def transform(name: str, model: str, bucket: str, prefix: str, **changes: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/{prefix}"}
    request: dict[str, Any] = {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": f"s3://{bucket}/scores",
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {**request, **changes}


def model(name: str, role: str, artefact: str) -> dict[str, Any]:
    container = {"Image": IMAGE, "ModelDataUrl": artefact}
    return {"ModelName": name, "ExecutionRoleArn": role, "PrimaryContainer": container}


def ended(sagemaker: Any, kind: str, name: str) -> Mapping[str, Any]:
    """The description of a job (`Training` or `Transform`) once it has ended."""
    describe = getattr(sagemaker, f"describe_{kind.lower()}_job")
    while True:
        description: Mapping[str, Any] = describe(**{f"{kind}JobName": name})
        if description[f"{kind}JobStatus"] not in ("InProgress", "Stopping"):
            return description
        time.sleep(0.01)
