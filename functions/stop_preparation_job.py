"""Stops a run of the Glue job that is past its deadline, so that it costs no more."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import Job
from cutwatch.tables.glue_job import PreparationJob
from cutwatch.tables.settings import PreparationJobSettings


@observed
def handler(event: Payload) -> Payload:
    """`job` -> its name."""
    settings, job = PreparationJobSettings.from_env(), Job.from_payload(event["job"])
    PreparationJob(client("glue"), settings.glue_job_name).stop(job)
    return {"name": job.name}
