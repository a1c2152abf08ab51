"""Starting the SageMaker jobs that train a model and score with it."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from cutwatch.aws.s3 import Bucket
from cutwatch.aws.stack_tags import stack_tags
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import ROWS, model_prefix, scores_prefix
from cutwatch.errors import ModelMissing, NotFound
from cutwatch.models.quota_waits import recorded_wait
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.sagemaker.jobs import Job, TrainingJobs, TransformJobs, start
from cutwatch.sagemaker.names import job_name
from cutwatch.sagemaker.requests import Request, training_job_request, transform_job_request
from cutwatch.settings import SageMakerSettings, TrainingJobSettings, TransformJobSettings

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def start_training_job(
    sagemaker: "SageMakerClient",
    settings: TrainingJobSettings,
    bucket: Bucket,
    registry: Registry,
    run: Run,
    dataset: Dataset,
    now: datetime,
    *,
    retried: bool,
) -> Job:
    """Start the training of a forest on a dataset, unless it was started before; record a wait for a quota."""
    tags = stack_tags(bucket.s3, bucket.name)
    rows, models = bucket.uri(dataset.prefix + ROWS), bucket.uri(model_prefix(dataset.detector))

    def request_for(name: str) -> Request:
        return training_job_request(settings, name, rows, models, dataset.dimensions, tags)

    names = _names(settings, run, dataset)
    waits, kind = registry.quota_waits, settings.instance_type
    with recorded_wait(waits, run, dataset.detector, kind, now, retried=retried):
        return start(TrainingJobs(sagemaker), request_for, names, now, settings.deadline)


def start_transform_job(
    sagemaker: "SageMakerClient",
    settings: TransformJobSettings,
    bucket: Bucket,
    registry: Registry,
    run: Run,
    dataset: Dataset,
    model: str,
    now: datetime,
    *,
    retried: bool,
) -> Job:
    """Start the scoring of a dataset with a model, unless it was started before; record a wait for a quota.

    If SageMaker does not have the model, remove it from the registry and raise `ModelMissing`.
    """
    tags = stack_tags(bucket.s3, bucket.name)
    rows = bucket.uri(dataset.prefix + ROWS)

    def request_for(name: str) -> Request:
        scores = bucket.uri(scores_prefix(dataset.detector, name))
        return transform_job_request(settings, name, model, rows, scores, tags)

    names = _names(settings, run, dataset)
    waits, kind = registry.quota_waits, settings.instance_type
    try:
        with recorded_wait(waits, run, dataset.detector, kind, now, retried=retried):
            return start(TransformJobs(sagemaker), request_for, names, now, settings.deadline)
    except NotFound as error:
        registry.detectors.remove_models(dataset.detector, {model})
        raise ModelMissing(
            f"model {model} no longer exists in SageMaker; it was taken out of the registry, "
            "and the next transform trains a new one"
        ) from error


def _names(settings: SageMakerSettings, run: Run, dataset: Dataset) -> Callable[[int], str]:
    """Return the name of each attempt at a job."""
    prefix, detector, digest = settings.job_name_prefix, dataset.detector, dataset.digest
    return lambda attempt: job_name(prefix, detector, run.scheduled, digest, attempt)
