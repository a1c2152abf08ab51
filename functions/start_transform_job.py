"""Starts the SageMaker transform job that scores a dataset with a model."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.models.jobs import start_transform_job
from cutwatch.observability import Payload, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.settings import TransformJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `data`, `model`, `now`, `retries` -> the job (name, status, deadline)."""
    settings = TransformJobSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    registry = Registry(client("dynamodb"), settings.table_name)
    run, dataset = Run.from_payload(event["run"]), Dataset.from_payload(event["data"], "data")
    model, now = event["model"], parse_timestamp(event["now"], "now")
    retried, sagemaker = bool(event["retries"]), client("sagemaker")
    job = start_transform_job(
        sagemaker, settings, bucket, registry, run, dataset, model, now, retried=retried
    )
    return job.to_payload()
