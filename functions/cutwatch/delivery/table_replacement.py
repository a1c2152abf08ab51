"""End of the incidents that a table's replaced forests, or its former endpoint, left open."""

from functools import cache
from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.destinations import outbox_delivery, row_target
from cutwatch.delivery.replacement import Replacement, Retires
from cutwatch.delivery.served_streams import ServedStreams
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.removed_stream import RemovedTable
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.retirement import Retirement
from cutwatch.tables.forest_state import forest_root
from cutwatch.tables.retirement import EndpointRetirement
from cutwatch.tables.settings import TableSettings
from cutwatch.tables.state import TableStateStore


@cache
def table_replacement(settings: TableSettings, folder: Path) -> Replacement:
    """Return the replacement of a table's functions, the same at each call. Raises `InvalidDetectors`.

    A table that has another engine by now has no current configuration of its forests, or no incidents by endpoint.
    """
    name, bucket = settings.watched_table, Bucket(client("s3"), settings.bucket_name)
    tables = load_configuration(folder / settings.detectors_file).tables
    table = next((each for each in tables if each.name == name), None)
    deliver = outbox_delivery(settings, table or RemovedTable(name), row_target(settings.target_arn))  # fmt: skip
    current = table.as_stream.fingerprint if table and table.engine == "forest" else ""
    reason = _reason(table, current, settings)
    retirements: list[Retires] = [Retirement(bucket, forest_root(name), current, reason, deliver)]
    if table is None or current:
        other = f"table {name} no longer has engine: endpoint" if table else reason
        retirements.append(EndpointRetirement(TableStateStore(bucket, name), other, deliver))
    served = ServedStreams(Table(client("dynamodb"), settings.table_name))
    return Replacement(settings, "table", name, settings.stack_name, retirements, served)


def _reason(table: WatchedTable | None, current: str, settings: TableSettings) -> str:
    name = settings.watched_table
    if table is None:
        return f"table {name} is no longer in {settings.detectors_file}"
    if not current:
        return f"table {name} no longer has engine: forest"
    return f"table {name} has another configuration since, {current}"
