"""Deletes the models and the records of detectors that left detectors.yaml."""

from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.templates import watched
from cutwatch.models.retirement import retire_detectors
from cutwatch.observability import Payload, observed
from cutwatch.registry.registry import Registry
from cutwatch.settings import RetireDetectorsSettings


@observed
def handler(_event: Payload) -> Payload:
    """Anything -> `retired` and `problems`."""
    settings = RetireDetectorsSettings.from_env()
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    registry = Registry(client("dynamodb"), settings.table_name)
    current = watched(client("cloudwatch"), configuration)
    return dict(retire_detectors(client("sagemaker"), registry.detectors, current))
