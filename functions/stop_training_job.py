"""Stops a training job that is past its deadline, so that it costs no more."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import Job, TrainingJobs, stop


@observed
def handler(event: Payload) -> Payload:
    """`job` -> its name."""
    job = Job.from_payload(event["job"])
    stop(TrainingJobs(client("sagemaker")), job.name)
    return {"name": job.name}
