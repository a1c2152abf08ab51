"""Reads the status of a deployment from the SageMaker endpoint."""

from cutwatch.endpoints.deployment import Deployment
from cutwatch.endpoints.functions import deployer
from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.observability import Payload, observed
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`deployment`, `now` -> the deployment with its present status, reason, and whether it serves or is overdue."""
    settings = EndpointSettings.from_env()
    deployment = Deployment.from_payload(event["deployment"])
    now = parse_timestamp(event["now"], "now")
    return deployer(settings).status(deployment, now).to_payload()
