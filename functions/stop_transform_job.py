"""Stops a transform job that is past its deadline, so that it costs no more."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import TRANSFORM, stop


@observed
def handler(event: Payload) -> Payload:
    """`job` -> its name."""
    stop(client("sagemaker"), TRANSFORM, event["job"]["name"])
    return {"name": event["job"]["name"]}
