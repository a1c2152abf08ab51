"""Writes the items of a DynamoDB table to S3 as rows of CSV, the training data of its model."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.observability import Payload, observed
from cutwatch.tables.preparation import dataset_of, prepare
from cutwatch.tables.runs import open_run
from cutwatch.tables.scanning import scan_of
from cutwatch.tables.settings import PrepareRecordsSettings


@observed
def handler(event: Payload) -> Payload:
    """`event` (the execution's input), `started` -> `run`, `data` (the dataset), `rejected` (items by reason)."""
    settings = PrepareRecordsSettings.from_env()
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    table = configuration.table(settings.watched_table)
    run = open_run(event["event"], event["started"])
    bucket = Bucket(client("s3"), settings.bucket_name)
    dataset = dataset_of(table, bucket.name, run.scheduled)
    scan = partial(scan_of, table, settings)
    prepared = prepare(bucket, scan, table, dataset, settings.row_files)
    return {"run": asdict(run), **prepared.to_payload()}
