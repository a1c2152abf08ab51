"""Starts the SageMaker training job of a detector's forest."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.aws.stack_tags import stack_tags
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.keys import ROWS, model_prefix
from cutwatch.observability import Payload, observed
from cutwatch.registry.run import Run
from cutwatch.sagemaker.jobs import TRAINING, start, training_job_request
from cutwatch.sagemaker.names import job_name
from cutwatch.settings import TrainingJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detector`, `data`, `now` -> the job (name, status, deadline)."""
    settings = TrainingJobSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    run, dataset = Run.from_payload(event["run"]), Dataset.from_payload(event["data"], "data")
    detector = dataset.detector
    tags = stack_tags(bucket.s3, bucket.name)
    job = start(
        client("sagemaker"),
        TRAINING,
        lambda name: training_job_request(
            settings,
            name,
            bucket.uri(dataset.prefix + ROWS),
            bucket.uri(model_prefix(detector)),
            dataset.dimensions,
            tags,
        ),
        lambda attempt: job_name(
            settings.job_name_prefix, detector, run.scheduled, dataset.digest, attempt
        ),
        parse_timestamp(event["now"], "now"),
        settings.deadline,
    )
    return job.to_payload()
