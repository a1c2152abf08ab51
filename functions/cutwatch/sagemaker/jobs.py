"""SageMaker jobs: their requests, starting them so that nothing starts twice, and reading their status."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from cutwatch.errors import AttemptsExhausted, NameInUse, NotFound, RejectedRequest
from cutwatch.settings import SageMakerSettings, TrainingJobSettings, TransformJobSettings
from cutwatch.timestamps import format_timestamp, parse_timestamp

MAX_ATTEMPTS = 20
_ALIVE = ("InProgress", "Completed")

Tags = list[dict[str, str]]
Request = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A job as the state machines see it. `status` is SageMaker's; times are ISO 8601."""

    name: str
    status: str
    deadline: str
    reason: str = ""
    overdue: bool = False

    def to_payload(self) -> dict[str, Any]:
        """As it travels between states."""
        return asdict(self)


@dataclass(frozen=True)
class JobKind:
    """How SageMaker spells the operations of one kind of job."""

    create: str
    describe: str
    stop: str
    name_key: str
    status_key: str


TRAINING = JobKind(
    "create_training_job",
    "describe_training_job",
    "stop_training_job",
    "TrainingJobName",
    "TrainingJobStatus",
)
TRANSFORM = JobKind(
    "create_transform_job",
    "describe_transform_job",
    "stop_transform_job",
    "TransformJobName",
    "TransformJobStatus",
)


def start(
    sagemaker: Any,
    kind: JobKind,
    request_for: Callable[[str], Request],
    name_of_attempt: Callable[[int], str],
    now: datetime,
    limit: timedelta,
) -> Job:
    """Start a job under the first free attempt's name, unless an attempt of it runs or has completed.

    Raises `AttemptsExhausted` when `MAX_ATTEMPTS` jobs of this name have failed or been stopped.
    """
    for attempt in range(1, MAX_ATTEMPTS + 1):
        name = name_of_attempt(attempt)
        try:
            getattr(sagemaker, kind.create)(**request_for(name))
        except NameInUse:
            existing = getattr(sagemaker, kind.describe)(**{kind.name_key: name})
            if existing[kind.status_key] in _ALIVE:
                deadline = existing["CreationTime"] + limit
                return Job(name, existing[kind.status_key], format_timestamp(deadline))
        else:
            return Job(name, "InProgress", format_timestamp(now + limit))
    raise AttemptsExhausted(
        f"{name}: all {MAX_ATTEMPTS} attempts failed or were stopped; look at the jobs' reasons, "
        "then wait for the next scheduled run"
    )


def status(sagemaker: Any, kind: JobKind, name: str, deadline: str, now: datetime) -> Job:
    """What has become of a job; `overdue` once it is past its deadline."""
    description = getattr(sagemaker, kind.describe)(**{kind.name_key: name})
    return Job(
        name,
        description[kind.status_key],
        deadline,
        description.get("FailureReason", "SageMaker gives no reason"),
        now > parse_timestamp(deadline, "deadline"),
    )


def stop(sagemaker: Any, kind: JobKind, name: str) -> None:
    """Stop a job; one that has ended meanwhile needs no stopping, which SageMaker calls a wrong request."""
    try:
        getattr(sagemaker, kind.stop)(**{kind.name_key: name})
    except (RejectedRequest, NotFound):
        return


def create_model(
    sagemaker: Any, settings: SageMakerSettings, name: str, artefact_uri: str, tags: Tags
) -> None:
    """Create a model, unless it exists: a model's name is its training job's, so it is the same one."""
    try:
        sagemaker.create_model(**model_request(settings, name, artefact_uri, tags))
    except NameInUse:
        return


def training_job_request(
    settings: TrainingJobSettings,
    name: str,
    rows_uri: str,
    models_uri: str,
    feature_dim: int,
    tags: Tags,
) -> Request:
    """The arguments of `CreateTrainingJob` for one Random Cut Forest."""
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
        | _key(settings, "VolumeKmsKeyId"),
        "StoppingCondition": {"MaxRuntimeInSeconds": int(settings.deadline.total_seconds())},
        "Tags": tags,
    }
    return request | _vpc(settings)


def model_request(settings: SageMakerSettings, name: str, artefact_uri: str, tags: Tags) -> Request:
    """The arguments of `CreateModel`."""
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
    """The arguments of `CreateTransformJob`: CSV rows in, one jsonlines object of scores per input object out."""
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
        | _key(settings, "VolumeKmsKeyId"),
        "Tags": tags,
    }


def _key(settings: SageMakerSettings, field: str) -> dict[str, str]:
    return {field: settings.kms_key_id} if settings.kms_key_id else {}


def _vpc(settings: SageMakerSettings) -> Request:
    if not settings.subnet_ids:
        return {}
    return {
        "VpcConfig": {
            "Subnets": list(settings.subnet_ids),
            "SecurityGroupIds": list(settings.security_group_ids),
        }
    }
