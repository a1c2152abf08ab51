"""Reads the status of a table's export from DynamoDB."""

from cutwatch.aws.clients import client
from cutwatch.observability import Payload, observed
from cutwatch.tables.export import Export, export_status
from cutwatch.tables.scanning import place
from cutwatch.tables.settings import ExportStatusSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`export`, `now` -> the export with its present status, reason and whether it is overdue."""
    settings = ExportStatusSettings.from_env()
    export, now = Export.from_payload(event["export"]), parse_timestamp(event["now"], "now")
    dynamodb = client("dynamodb", place(settings.read_table_arn)[0])
    return export_status(dynamodb, export, now).to_payload()
