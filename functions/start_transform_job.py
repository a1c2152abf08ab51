"""Starts the SageMaker transform job that scores a dataset with a model."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.aws.stack_tags import stack_tags
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import ROWS, scores_prefix
from cutwatch.errors import ModelMissing, NotFound
from cutwatch.observability import Payload, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.sagemaker.jobs import TRANSFORM, start, transform_job_request
from cutwatch.sagemaker.names import job_name
from cutwatch.settings import TransformJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detector`, `data`, `model`, `now` -> the job (name, status, deadline)."""
    settings = TransformJobSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    run, dataset = Run.from_payload(event["run"]), Dataset.from_payload(event["data"], "data")
    detector = dataset.detector
    tags = stack_tags(bucket.s3, bucket.name)
    try:
        job = start(
            client("sagemaker"),
            TRANSFORM,
            lambda name: transform_job_request(
                settings,
                name,
                event["model"],
                bucket.uri(dataset.prefix + ROWS),
                bucket.uri(scores_prefix(detector, name)),
                tags,
            ),
            lambda attempt: job_name(
                settings.job_name_prefix, detector, run.scheduled, dataset.digest, attempt
            ),
            parse_timestamp(event["now"], "now"),
            settings.deadline,
        )
    except NotFound as error:
        registry = Registry(client("dynamodb"), settings.table_name)
        registry.detectors.remove_models(detector, {event["model"]})
        raise ModelMissing(
            f"model {event['model']} no longer exists in SageMaker; it was taken out of the registry, "
            "and the next transform trains a new one"
        ) from error
    return job.to_payload()
