"""Deletes the models and the records of detectors that left detectors.yaml."""

from pathlib import Path

from cutwatch.aws import client
from cutwatch.configuration import load_detectors
from cutwatch.models import retire_detectors
from cutwatch.observability import Payload, observed
from cutwatch.registry import Registry
from cutwatch.settings import RetireDetectorsSettings


@observed
def handler(_event: Payload) -> Payload:
    """Anything -> `retired` and `problems`."""
    settings = RetireDetectorsSettings.from_env()
    watched = {d.name for d in load_detectors(Path(__file__).parent / settings.detectors_file)}
    registry = Registry(client("dynamodb"), settings.table_name)
    return dict(retire_detectors(client("sagemaker"), registry, watched))
