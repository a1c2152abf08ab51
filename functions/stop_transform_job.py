"""Stops a transform job that is past its deadline, so that it costs no more."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import Job, TransformJobs, stop


@observed
def handler(event: Payload) -> Payload:
    """`job` -> its name."""
    job = Job.from_payload(event["job"])
    stop(TransformJobs(client("sagemaker")), job.name)
    return {"name": job.name}
