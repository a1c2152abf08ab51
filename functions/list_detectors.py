"""Opens a run and lists its detectors into S3, in batches for the Map to read."""

from pathlib import Path

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.configuration import load_configuration
from cutwatch.listing import admitted, open_run
from cutwatch.moments import parse_moment
from cutwatch.observability import Payload, observed
from cutwatch.registry import Registry
from cutwatch.runs import RunRequest
from cutwatch.settings import ListDetectorsSettings
from cutwatch.templates import watched


@observed
def handler(event: Payload) -> Payload:
    """`kind`, `event`, `started` -> `run`, `engines` (each one's batches), `count`, `untrained`."""
    settings = ListDetectorsSettings.from_env()
    request = RunRequest.from_event(event["kind"], event["event"], event["started"])
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    return open_run(
        Registry(client("dynamodb"), settings.table_name),
        Bucket(client("s3"), settings.bucket_name),
        request,
        admitted(watched(client("cloudwatch"), configuration), settings.sagemaker_engine),
        parse_moment(event["started"], "started"),
        settings.batch_size,
    )
