"""Opens a run and lists its detectors into S3, in batches for the Map to read."""

from pathlib import Path

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.configuration import load_detectors
from cutwatch.listing import Watched, open_run, without_sagemaker
from cutwatch.moments import parse_moment
from cutwatch.observability import Payload, observed
from cutwatch.registry import Registry
from cutwatch.runs import RunRequest
from cutwatch.settings import ListDetectorsSettings


@observed
def handler(event: Payload) -> Payload:
    """`kind`, `event`, `started` -> `run`, `engines` (each one's batches), `count`, `untrained`."""
    settings = ListDetectorsSettings.from_env()
    request = RunRequest.from_event(event["kind"], event["event"], event["started"])
    watched = Watched(load_detectors(Path(__file__).parent / settings.detectors_file))
    return open_run(
        Registry(client("dynamodb"), settings.table_name),
        Bucket(client("s3"), settings.bucket_name),
        request,
        watched if settings.sagemaker_engine == "ENABLED" else without_sagemaker(watched),
        parse_moment(event["started"], "started"),
        settings.batch_size,
    )
