"""Asks SageMaker what has become of a transform job."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import TRANSFORM, status
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`job`, `now` -> the job with its present status, reason and whether it is overdue."""
    job, now = event["job"], parse_timestamp(event["now"], "now")
    return status(client("sagemaker"), TRANSFORM, job["name"], job["deadline"], now).to_payload()
