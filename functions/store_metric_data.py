"""Writes the datapoints of a batch of detectors from CloudWatch to S3 as feature rows."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.writer import DatasetWriter
from cutwatch.detectors.detector import Detector
from cutwatch.observability import Payload, count, observed
from cutwatch.payloads import read_all
from cutwatch.registry.outcome import reason_of
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, is_last_try
from cutwatch.settings import StoreMetricDataSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detectors`, `now`, `retries`, `training` (the end of a training on demand) -> `datasets`; other detectors have an outcome."""
    settings = StoreMetricDataSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    writer = DatasetWriter(
        client("cloudwatch"),
        Bucket(client("s3"), settings.bucket_name),
        settings,
        Batch(registry, Run.from_payload(event["run"]), is_last_try(event)),
        parse_timestamp(event["now"], "now"),
        reason_of(event.get("training"), "training"),
    )
    datasets = writer.store(read_all(Detector, event["detectors"], "detectors"))
    rows = sum(dataset.rows for dataset in datasets)
    count("RowsStored", rows)
    payloads = [dataset.to_payload() for dataset in datasets]
    return {"datasets": payloads, "pending": len(payloads), "rows": rows}
