"""Opens a run and lists its detectors in S3, in batches for the Map to read."""

from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.templates import watched
from cutwatch.observability import Payload, logger, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import RunRequest
from cutwatch.runs.opening import admitted, open_run
from cutwatch.settings import ListDetectorsSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`kind`, `event`, `started` -> `run`, `engines` (each one's batches), `count`, `to_train`."""
    settings = ListDetectorsSettings.from_env()
    request = RunRequest.from_event(event["kind"], event["event"], event["started"])
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    for warning in configuration.warnings:
        logger.warning(warning)
    return open_run(
        Registry(client("dynamodb"), settings.table_name),
        Bucket(client("s3"), settings.bucket_name),
        request,
        admitted(watched(client("cloudwatch"), configuration), settings.sagemaker_engine),
        parse_timestamp(event["started"], "started"),
        settings.batch_size,
    )
