"""Stops a training job that is past its deadline, so that it costs no more."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.sagemaker.jobs import TRAINING, stop


@observed
def handler(event: Payload) -> Payload:
    """`job` -> its name."""
    stop(client("sagemaker"), TRAINING, event["job"]["name"])
    return {"name": event["job"]["name"]}
