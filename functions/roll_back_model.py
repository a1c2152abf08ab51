"""Starts the deployment of the model before, or of the one that an operator names."""

from cutwatch.endpoints.functions import deployer
from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.observability import Payload, observed
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`to` (true, or a model's name), `now` -> the deployment (model, status, deadline)."""
    settings = EndpointSettings.from_env()
    to, now = event["to"], parse_timestamp(event["now"], "now")
    return deployer(settings).roll_back(to if isinstance(to, str) else None, now).to_payload()
