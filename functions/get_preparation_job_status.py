"""Reads the status of the Glue job's run."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import Job
from cutwatch.tables.glue_job import PreparationJob
from cutwatch.tables.settings import PreparationJobSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`job`, `now` -> the job with its present status, reason and whether it is overdue."""
    settings = PreparationJobSettings.from_env()
    job, now = Job.from_payload(event["job"]), parse_timestamp(event["now"], "now")
    return PreparationJob(client("glue"), settings.glue_job_name).status(job, now).to_payload()
