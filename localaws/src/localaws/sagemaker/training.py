"""Training jobs of the built-in Random Cut Forest."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from localaws.api_response import ApiError
from localaws.clock import Clock
from localaws.job_outcomes import OutcomeKind
from localaws.sagemaker import arns, random_cut_forest
from localaws.sagemaker.behaviour import SageMakerBehaviour
from localaws.sagemaker.job_registry import JobKind, JobRegistry
from localaws.sagemaker.jobs import Job, JobFailure, JobRunner
from localaws.sagemaker.keys import JobKeys
from localaws.sagemaker.objects import ObjectsOfRoles, split
from localaws.sagemaker.random_cut_forest import Hyperparameters, Rows
from localaws.sagemaker.supported import check_image, not_implemented, refuse_unsupported

_KIND = JobKind(
    prefix="TrainingJob",
    arn_kind="training-job",
    usage="training job usage",
    name_taken=(
        "Training job names must be unique within an AWS account and Region, and a training job "
        "with this name already exists"
    ),
    not_found="Requested resource not found.",
)
_CONTENT_TYPE = "text/csv;label_size=0"


class TrainingJobs:
    def __init__(
        self,
        region: str,
        clock: Clock,
        objects: ObjectsOfRoles,
        keys: JobKeys,
        behaviour: SageMakerBehaviour,
    ) -> None:
        self._region = region
        self._clock = clock
        self._objects = objects
        self._keys = keys
        self._behaviour = behaviour
        self._runner = JobRunner(clock, lambda: behaviour.stopping_seconds)
        self.registry = JobRegistry(_KIND, self._runner, behaviour)

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        refuse_unsupported("CreateTrainingJob", request)
        specification = request["AlgorithmSpecification"]
        check_image(specification.get("TrainingImage", ""), self._region)
        if specification["TrainingInputMode"] != "File":
            raise not_implemented(f"TrainingInputMode {specification['TrainingInputMode']}")
        arns.check_role(request["RoleArn"], self._region)
        self._check_there_is_data(request)
        name, resources = request["TrainingJobName"], request["ResourceConfig"]
        job = Job(
            name=name,
            arn=arns.arn(self._region, _KIND.arn_kind, name),
            request=request,
            instance_type=resources["InstanceType"],
            instance_count=resources["InstanceCount"],
            created=self._clock.now(),
            longest_seconds=request["StoppingCondition"].get("MaxRuntimeInSeconds", 86_400),
        )
        self.registry.add(job)
        outcome = self._behaviour.outcome_of(name)
        self._runner.start(
            job, lambda kind: self._train(job, kind), self._behaviour.training_seconds, outcome
        )
        return {"TrainingJobArn": job.arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        job = self.registry.get(request["TrainingJobName"])
        description: dict[str, Any] = {
            **{key: value for key, value in job.request.items() if key != "Tags"},
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.status,
            "SecondaryStatus": job.secondary_status,
            "CreationTime": job.created,
            "LastModifiedTime": job.ended or job.created,
            "ModelArtifacts": {"S3ModelArtifacts": _artefact_uri(job)},
            "SecondaryStatusTransitions": _transitions(job),
        }
        if job.failure_reason:
            description["FailureReason"] = job.failure_reason
        if job.ended:
            seconds = int((job.ended - job.created).total_seconds())
            description |= {
                "TrainingStartTime": job.created,
                "TrainingEndTime": job.ended,
                "TrainingTimeInSeconds": seconds,
                "BillableTimeInSeconds": seconds,
            }
        return description

    def list(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return self.registry.page(request)

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.registry.stop(request["TrainingJobName"])
        return {}

    def _check_there_is_data(self, request: Mapping[str, Any]) -> None:
        for channel in request.get("InputDataConfig", []):
            uri = _source(channel)["S3Uri"]
            if not self._objects.of(request["RoleArn"]).are_under(uri):
                raise ApiError(
                    "ValidationException",
                    f'No S3 objects found under S3 URL "{uri}" given in input data source. Please '
                    f"ensure that the bucket exists in the selected region ({self._region}), that "
                    "objects exist under that S3 prefix, and that the role "
                    f'"{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket '
                    f'"{split(uri)[0]}".',
                )

    def _train(self, job: Job, kind: OutcomeKind) -> Callable[[], None]:
        request = job.request
        self._keys.check(request["RoleArn"], request["OutputDataConfig"], request["ResourceConfig"])
        parameters = Hyperparameters.parse(job.request.get("HyperParameters", {}))
        artefact = random_cut_forest.train(self._rows(job, parameters), parameters)
        if kind is OutcomeKind.GARBLE_OUTPUT:
            artefact = b"no archive"

        def write() -> None:
            if kind is not OutcomeKind.LOSE_OUTPUT:
                objects, output = self._objects.of(request["RoleArn"]), request["OutputDataConfig"]
                objects.write(_artefact_uri(job), artefact, output.get("KmsKeyId", ""))

        return write

    def _rows(self, job: Job, parameters: Hyperparameters) -> Rows:
        channel = _train_channel(job.request)
        uri = _source(channel)["S3Uri"]
        bucket, objects = split(uri)[0], self._objects.of(job.request["RoleArn"])
        keys = objects.keys(uri)
        if len(keys) < job.instance_count:
            raise JobFailure(
                f"ClientError: Channel 'train' has {len(keys)} objects under {uri} for "
                f"{job.instance_count} instances; ShardedByS3Key needs at least one each."
            )
        parts = [
            random_cut_forest.parse_rows(
                objects.read(f"s3://{bucket}/{key}"), parameters.feature_dim, key
            )
            for key in keys
        ]
        return np.concatenate(parts)


def _train_channel(request: Mapping[str, Any]) -> Mapping[str, Any]:
    channels = {channel["ChannelName"]: channel for channel in request.get("InputDataConfig", [])}
    for name in channels.keys() - {"train"}:
        raise JobFailure(f"ClientError: The local SageMaker does not implement channel '{name}'.")
    if "train" not in channels:
        raise JobFailure("ClientError: The required channel 'train' is missing.")
    channel: Mapping[str, Any] = channels["train"]
    if channel.get("ContentType") != _CONTENT_TYPE:
        raise JobFailure(
            f"ClientError: Channel 'train' has content type '{channel.get('ContentType')}'; the "
            f"local SageMaker implements '{_CONTENT_TYPE}'."
        )
    if _source(channel).get("S3DataDistributionType") != "ShardedByS3Key":
        raise JobFailure(
            "ClientError: Unable to initialize the algorithm. Failed to validate input data "
            "configuration. (caused by ValidationError) Caused by: S3DistributionType of channel "
            "'train' is not 'ShardedByS3Key'"
        )
    return channel


def _source(channel: Mapping[str, Any]) -> Mapping[str, Any]:
    source: Mapping[str, Any] = channel.get("DataSource", {}).get("S3DataSource", {})
    if source.get("S3DataType") != "S3Prefix":
        raise not_implemented("data sources other than an S3Prefix")
    if channel.get("CompressionType", "None") != "None":
        raise not_implemented(f"CompressionType {channel['CompressionType']}")
    return source


def _artefact_uri(job: Job) -> str:
    path = job.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
    return f"{path}/{job.name}/output/model.tar.gz"


def _transitions(job: Job) -> list[dict[str, Any]]:
    start: dict[str, Any] = {"Status": "Starting", "StartTime": job.created}
    if job.ended is None:
        return [start]
    start["EndTime"] = job.ended
    return [start, {"Status": job.secondary_status, "StartTime": job.ended, "EndTime": job.ended}]
