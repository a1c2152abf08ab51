"""Starts the SageMaker training job of a detector's forest."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.models.jobs import start_training_job
from cutwatch.observability import Payload, observed
from cutwatch.registry.run import Run
from cutwatch.settings import TrainingJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `data`, `now` -> the job (name, status, deadline)."""
    settings = TrainingJobSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    run, dataset = Run.from_payload(event["run"]), Dataset.from_payload(event["data"], "data")
    now = parse_timestamp(event["now"], "now")
    job = start_training_job(client("sagemaker"), settings, bucket, run, dataset, now)
    return job.to_payload()
