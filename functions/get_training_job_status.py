"""Reads the status of a training job from SageMaker."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import Job, TrainingJobs, status
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`job`, `now` -> the job with its present status, reason and whether it is overdue."""
    job, now = Job.from_payload(event["job"]), parse_timestamp(event["now"], "now")
    return status(TrainingJobs(client("sagemaker")), job, now).to_payload()
