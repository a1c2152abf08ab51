"""Starts the SageMaker training job of a detector's forest."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.models.jobs import start_training_job
from cutwatch.observability import Payload, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.settings import TrainingJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `data`, `now`, `retries` -> the job (name, status, deadline)."""
    settings = TrainingJobSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    registry = Registry(client("dynamodb"), settings.table_name)
    run, dataset = Run.from_payload(event["run"]), Dataset.from_payload(event["data"], "data")
    now, retried = parse_timestamp(event["now"], "now"), bool(event["retries"])
    job = start_training_job(
        client("sagemaker"), settings, bucket, registry, run, dataset, now, retried=retried
    )
    return job.to_payload()
