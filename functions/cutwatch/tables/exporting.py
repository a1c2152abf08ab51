"""Export for a run, unless the run has its rows."""

from datetime import datetime

from cutwatch.datasets.dataset import Dataset
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.tables.export import Export, TableExporter
from cutwatch.tables.preparation import find_preparation, read_summary, refuse_keys
from cutwatch.tables.scan import ScannedTable
from cutwatch.tables.scanning import place
from cutwatch.timestamps import format_timestamp

_NOTHING = "nothing to export"


def export_table(
    exporter: TableExporter, table: WatchedTable, dataset: Dataset, deadline: datetime
) -> Export:
    """Start the export of a table for a run, unless the run is prepared, or the Glue job has written its rows.

    Raises `PreparationRefused` for columns that are keys of the table.
    """
    bucket = exporter.bucket
    if find_preparation(bucket, dataset) or read_summary(bucket, dataset) is not None:
        return Export(_NOTHING, "COMPLETED", format_timestamp(deadline), prepared=True)
    name = place(exporter.table_arn)[1]
    refuse_keys(table, ScannedTable.described(exporter.dynamodb, name).keys)
    return exporter.start(dataset, deadline)
