"""Prepares the training data of a table's model: the items of a DynamoDB table as rows of CSV in S3."""

from dataclasses import asdict
from functools import partial

from cutwatch.observability import Payload, observed
from cutwatch.tables.functions import run_of
from cutwatch.tables.preparation import prepare, prepared_by_glue
from cutwatch.tables.scanning import scan_of
from cutwatch.tables.settings import PrepareRecordsSettings


@observed
def handler(event: Payload) -> Payload:
    """`event` (the execution's input), `started` -> `run`, `data` (the dataset), `rejected` (items by reason)."""
    settings = PrepareRecordsSettings.from_env()
    run, table, bucket, dataset = run_of(settings, event)
    if settings.preparation == "glue":
        prepared = prepared_by_glue(bucket, table, dataset)
    else:
        scan = partial(scan_of, table, settings)
        prepared = prepare(bucket, scan, table, dataset, settings.row_files)
    return {"run": asdict(run), **prepared.to_payload()}
