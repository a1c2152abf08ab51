"""Pulls a detector's datapoints from CloudWatch into S3 as feature rows."""

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.datasets import DatasetWriter
from cutwatch.detector import Detector
from cutwatch.observability import Payload, count, observed
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.settings import StoreMetricDataSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detector` -> the dataset (prefix, window, rows), or the `outcome` that ends it here."""
    settings = StoreMetricDataSettings.from_env()
    dataset = DatasetWriter(
        client("cloudwatch"),
        Bucket(client("s3"), settings.bucket_name),
        Registry(client("dynamodb"), settings.table_name),
        settings,
        Run.from_payload(event["run"]),
        Detector.from_payload(event["detector"]),
    ).store()
    count("RowsStored", dataset.get("rows", 0))
    return dataset
