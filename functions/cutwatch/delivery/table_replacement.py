"""End of the incidents that the replaced forests of a table left open."""

from functools import cache
from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.dynamodb import Table
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery.destinations import outbox_delivery, row_target
from cutwatch.delivery.replacement import Replacement
from cutwatch.delivery.served_streams import ServedStreams
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.removed_stream import RemovedTable
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.retirement import Retirement
from cutwatch.tables.forest_state import forest_root
from cutwatch.tables.settings import TableSettings


@cache
def table_replacement(settings: TableSettings, folder: Path) -> Replacement:
    """Return the replacement of a table's functions, the same at each call. Raises `InvalidDetectors`.

    A table that has another engine by now has no current configuration of its forests.
    """
    name = settings.watched_table
    tables = load_configuration(folder / settings.detectors_file).tables
    table = next((each for each in tables if each.name == name), None)
    current = table.as_stream.fingerprint if table and table.engine == "forest" else ""
    source = table or RemovedTable(name)
    deliver = outbox_delivery(settings, source, row_target(settings.target_arn))
    return Replacement(
        settings,
        "table",
        name,
        settings.stack_name,
        Retirement(
            Bucket(client("s3"), settings.bucket_name),
            forest_root(name),
            current,
            _reason(table, current, settings),
            deliver,
        ),
        ServedStreams(Table(client("dynamodb"), settings.table_name)),
    )


def _reason(table: WatchedTable | None, current: str, settings: TableSettings) -> str:
    name = settings.watched_table
    if table is None:
        return f"table {name} is no longer in {settings.detectors_file}"
    if not current:
        return f"table {name} no longer has engine: forest"
    return f"table {name} has another configuration since, {current}"
