"""Starts the deployment of a model to the SageMaker endpoint."""

from cutwatch.aws.clients import client
from cutwatch.aws.stack_tags import stack_tags
from cutwatch.endpoints.functions import deployer
from cutwatch.endpoints.settings import EndpointSettings
from cutwatch.observability import Payload, observed
from cutwatch.runs.batch import name_of
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`model`, `now` -> the deployment (model, status, deadline)."""
    settings = EndpointSettings.from_env()
    model, now = str(name_of(event, "model")), parse_timestamp(event["now"], "now")
    tags = stack_tags(client("s3"), settings.bucket_name)
    return deployer(settings).start(model, tags, now).to_payload()
