"""Deletes the models and the records of detectors that left detectors.yaml."""

from pathlib import Path

from cutwatch.aws import client
from cutwatch.configuration import load_configuration
from cutwatch.models import retire_detectors
from cutwatch.observability import Payload, observed
from cutwatch.registry import Registry
from cutwatch.settings import RetireDetectorsSettings
from cutwatch.templates import watched


@observed
def handler(_event: Payload) -> Payload:
    """Anything -> `retired` and `problems`."""
    settings = RetireDetectorsSettings.from_env()
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    registry = Registry(client("dynamodb"), settings.table_name)
    now = watched(client("cloudwatch"), configuration)
    # A template that cannot be expanded today has not given up its detectors.
    kept = {name for name in registry.detectors() if now.may_include(name)}
    return dict(retire_detectors(client("sagemaker"), registry, kept))
