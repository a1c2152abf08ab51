"""Scan by the settings of Prepare Records: from the streamed table, or from a replica of it in any Region."""

from cutwatch.aws.clients import client
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.errors import InvalidSetting
from cutwatch.tables.read_limiter import ReadLimiter
from cutwatch.tables.scan import Scan, ScannedTable
from cutwatch.tables.settings import PrepareRecordsSettings


def scan_of(table: WatchedTable, settings: PrepareRecordsSettings) -> Scan:
    """Return the scan of a table. Raises `PreparationRefused` if the table is too large for a function."""
    region, name = place(settings.read_table_arn)
    dynamodb = client("dynamodb", region)
    scanned = ScannedTable.described(dynamodb, name)
    scanned.check_size(settings.read_units_per_second)
    attributes = dict.fromkeys([*table.values.values(), *([table.time] if table.time else [])])
    limiter = ReadLimiter(settings.read_units_per_second)
    return Scan(dynamodb, scanned, tuple(attributes), settings.scan_segments, limiter)


def place(arn: str) -> tuple[str, str]:
    """Return Region and name of a table. Raises `InvalidSetting`."""
    parts = arn.split(":")
    if len(parts) != 6 or not parts[5].startswith("table/"):  # noqa: PLR2004 - the parts of an ARN
        raise InvalidSetting(
            f"READ_TABLE_ARN is {arn!r}; expected such as arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
        )
    return parts[3], parts[5].removeprefix("table/")
