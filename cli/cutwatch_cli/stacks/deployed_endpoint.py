"""The endpoint of a deployed stream, and the trainer of its models."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from time import sleep
from typing import Any

from cutwatch.aws.clients import translate_errors_of
from cutwatch.detectors.stream import Stream
from cutwatch.endpoints.cutoff_store import CutoffStore
from cutwatch.endpoints.deployment import EndpointDeployer
from cutwatch.endpoints.scaling import VariantScaling
from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.settings import TrainingJobSettings, TransformJobSettings
from cutwatch_cli.stacks.deployment import Deployment, check_known
from cutwatch_cli.stacks.endpoint_training import EndpointTrainer
from cutwatch_cli.stacks.refusal import Refused
from cutwatch_cli.stacks.stream_stacks import StreamStack, stream_stacks

# Registry of Regions that do not have the algorithm.
_NO_REGISTRY = "000000000000"
_IMAGE = "{registry}.dkr.ecr.{region}.{suffix}/randomcutforest:1"


@dataclass(frozen=True)
class EndpointCapacity:
    """An endpoint's instance, or with `serverless_memory` (MB) none."""

    instance_type: str = "ml.c5.large"
    serverless_memory: int = 0


def joined_stream(deployment: Deployment, stream: str) -> StreamStack:
    """Return the stack of a stream that joins a deployment. Raises `Refused` if there is none."""
    joined = {each.stream: each for each in stream_stacks(deployment.account, deployment.stack)}
    check_known([stream], joined, kind="deployed stream")
    return joined[stream]


def endpoint_trainer(
    deployment: Deployment, stream: Stream, capacity: EndpointCapacity, tell: Callable[[str], None]
) -> EndpointTrainer:
    """Return the trainer of a deployed stream's models, with keys, network and role of the base stack. Raises `Refused`."""
    endpoint = joined_stream(deployment, stream.name).outputs.get("EndpointName", "")
    if not endpoint:
        raise Refused(
            f"the stack of stream {stream.name!r} has no endpoint; deploy it with EndpointName"
        )
    # Jobs and models that do not exist yet are errors of Cutwatch.
    translate_errors_of(deployment.account.session)
    account, bucket = deployment.account, deployment.bucket
    sagemaker, jobs = account.client("sagemaker"), _job_settings(deployment)
    settings = EndpointSettings(
        watched_table=stream.name,
        table_name=deployment.outputs["RegistryTableName"],
        bucket_name=bucket.name,
        endpoint_name=endpoint,
        instance_type=capacity.instance_type,
        serverless_memory=capacity.serverless_memory,
        # No alarm returns to the model before, so there is nothing to wait for.
        bake_seconds=0,
        kms_key_id=deployment.parameters.get("KmsKeyArn", ""),
    )
    cutoffs = CutoffStore(deployment.table, stream.name)
    scaling = VariantScaling(account.client("application-autoscaling"), settings)
    return EndpointTrainer(
        stream,
        bucket,
        sagemaker,
        TrainingJobSettings(**jobs),
        TransformJobSettings(**jobs),
        EndpointDeployer(sagemaker, settings, cutoffs, scaling),
        sleep,
        lambda: datetime.now(UTC),
        tell,
    )


def _job_settings(deployment: Deployment) -> dict[str, Any]:
    """Return what training, model and transform have in common."""
    outputs, parameters, region = deployment.outputs, deployment.parameters, deployment.account.region  # fmt: skip
    registry = outputs.get("RandomCutForestRegistry", _NO_REGISTRY)
    if registry == _NO_REGISTRY:
        raise Refused(
            f"SageMaker's Random Cut Forest does not exist in {region}; use another model"
        )
    suffix = "amazonaws.com.cn" if str(region).startswith("cn-") else "amazonaws.com"
    return {
        "bucket_name": deployment.bucket.name,
        "job_name_prefix": parameters.get("JobNamePrefix", "cutwatch"),
        "role_arn": outputs["SageMakerRoleArn"],
        "image_uri": _IMAGE.format(registry=registry, region=region, suffix=suffix),
        "kms_key_id": parameters.get("KmsKeyArn", ""),
        "subnet_ids": _listed(parameters.get("SubnetIds", "")),
        "security_group_ids": _listed(parameters.get("SecurityGroupIds", "")),
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(",")))
