"""Starts the export of a DynamoDB table to S3, from which the Glue job prepares the rows."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.tables.export import TableExporter
from cutwatch.tables.exporting import export_table
from cutwatch.tables.functions import run_of
from cutwatch.tables.scanning import place
from cutwatch.tables.settings import StartExportSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`event` (the execution's input), `started`, `now` -> the export (ARN, status, deadline)."""
    settings = StartExportSettings.from_env()
    _, table, bucket, dataset = run_of(settings, event)
    dynamodb = client("dynamodb", place(settings.read_table_arn)[0])
    exporter = TableExporter(dynamodb, settings.read_table_arn, bucket, settings.kms_key_id)
    deadline = parse_timestamp(event["now"], "now") + settings.deadline
    return export_table(exporter, table, dataset, deadline).to_payload()
