"""Opens a run and lists its detectors into S3 for the Map to read."""

from pathlib import Path

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.configuration import load_configuration
from cutwatch.moments import parse_moment
from cutwatch.observability import Payload, observed
from cutwatch.registry import Registry
from cutwatch.runs import RunRequest, open_run
from cutwatch.settings import ListDetectorsSettings
from cutwatch.templates import watched


@observed
def handler(event: Payload) -> Payload:
    """`kind`, `event`, `started` -> `run`, `detectors` (bucket, key), `count`, `untrained`."""
    settings = ListDetectorsSettings.from_env()
    request = RunRequest.from_event(event["kind"], event["event"], event["started"])
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    return open_run(
        Registry(client("dynamodb"), settings.table_name),
        Bucket(client("s3"), settings.bucket_name),
        request,
        watched(client("cloudwatch"), configuration).detectors,
        parse_moment(event["started"], "started"),
    )
