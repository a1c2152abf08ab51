"""The declaration of a watched table, compared with what is deployed."""

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.errors import InvalidSetting


def check_engine(table: WatchedTable, endpoint: str) -> None:
    """Raise `InvalidSetting` unless the stack is that of the declaration's engine: an endpoint's name, or none."""
    if (table.engine == "endpoint") != bool(endpoint):
        template = "table.yaml" if table.engine == "endpoint" else "table_forest.yaml"
        raise InvalidSetting(
            f"ENDPOINT_NAME is {endpoint!r}, but table {table.name!r} has engine: {table.engine}; "
            f"deploy stacks/{template} for it"
        )


def check_source(table: WatchedTable, arn: str) -> None:
    """Raise `InvalidSetting` unless a table's ARN is that of the declaration's source."""
    if table.source not in (arn, arn.rpartition("/")[2]):
        raise InvalidSetting(
            f"SOURCE_TABLE_ARN is {arn!r}, but table {table.name!r} has source {table.source!r}"
        )
