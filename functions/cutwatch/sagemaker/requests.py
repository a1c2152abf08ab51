"""Requests for SageMaker's jobs and models."""

import re
from typing import Any

from cutwatch.settings import SageMakerSettings, TrainingJobSettings, TransformJobSettings

Tags = list[dict[str, str]]
Request = dict[str, Any]

# Types with local NVMe storage: a d after the generation (m5d, c6id), and families that always have it.
_LOCAL_STORAGE = re.compile(r"ml\.(?:[a-z]+\d+[a-z]*d[a-z]*|g[56][a-z]*|p5[a-z]*|trn\d[a-z]*)\.")


def training_job_request(
    settings: TrainingJobSettings,
    name: str,
    rows_uri: str,
    models_uri: str,
    feature_dim: int,
    tags: Tags,
) -> Request:
    """Return the arguments of `CreateTrainingJob` for one Random Cut Forest."""
    request: Request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": settings.image_uri,
            "TrainingInputMode": "File",
        },
        "RoleArn": settings.role_arn,
        "HyperParameters": {
            "feature_dim": str(feature_dim),
            "num_trees": str(settings.num_trees),
            "num_samples_per_tree": str(settings.num_samples_per_tree),
        },
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "ContentType": "text/csv;label_size=0",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": rows_uri,
                        "S3DataDistributionType": "ShardedByS3Key",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": models_uri} | _key(settings, "KmsKeyId"),
        "ResourceConfig": {
            "InstanceType": settings.instance_type,
            "InstanceCount": settings.instance_count,
            "VolumeSizeInGB": settings.volume_size,
        }
        | _volume_key(settings),
        "StoppingCondition": {"MaxRuntimeInSeconds": int(settings.deadline.total_seconds())},
        "Tags": tags,
    }
    return request | _vpc(settings)


def model_request(settings: SageMakerSettings, name: str, artefact_uri: str, tags: Tags) -> Request:
    """Return the arguments of `CreateModel`."""
    request: Request = {
        "ModelName": name,
        "ExecutionRoleArn": settings.role_arn,
        "PrimaryContainer": {"Image": settings.image_uri, "ModelDataUrl": artefact_uri},
        "Tags": tags,
    }
    return request | _vpc(settings)


def transform_job_request(
    settings: TransformJobSettings,
    name: str,
    model: str,
    rows_uri: str,
    scores_uri: str,
    tags: Tags,
) -> Request:
    """Return the arguments of `CreateTransformJob`: CSV rows in, one object of jsonlines per input object out."""
    return {
        "TransformJobName": name,
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": rows_uri}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {
            "S3OutputPath": scores_uri,
            "Accept": "application/jsonlines",
            "AssembleWith": "Line",
        }
        | _key(settings, "KmsKeyId"),
        "TransformResources": {
            "InstanceType": settings.instance_type,
            "InstanceCount": settings.instance_count,
        }
        | _volume_key(settings),
        "Tags": tags,
    }


def _key(settings: SageMakerSettings, field: str) -> dict[str, str]:
    return {field: settings.kms_key_id} if settings.kms_key_id else {}


def _volume_key(settings: TrainingJobSettings | TransformJobSettings) -> dict[str, str]:
    """Return the key of the volume, if the instance has one: local NVMe storage encrypts itself and takes no key."""
    return {} if _LOCAL_STORAGE.match(settings.instance_type) else _key(settings, "VolumeKmsKeyId")


def _vpc(settings: SageMakerSettings) -> Request:
    if not settings.subnet_ids:
        return {}
    return {
        "VpcConfig": {
            "Subnets": list(settings.subnet_ids),
            "SecurityGroupIds": list(settings.security_group_ids),
        }
    }
