"""Stops a training job that is past its deadline, so that it costs no more."""

from cutwatch.aws import client
from cutwatch.jobs import TRAINING, stop
from cutwatch.observability import Payload, observed


@observed
def handler(event: Payload) -> Payload:
    """`job` -> its name."""
    stop(client("sagemaker"), TRAINING, event["job"]["name"])
    return {"name": event["job"]["name"]}
