"""Resources of calls about a table's exports."""

from collections.abc import Mapping
from typing import Any

EXPORT_OPERATIONS = frozenset({"DescribeExport", "ExportTableToPointInTime", "ListExports"})


def export_arn(parameters: Mapping[str, Any]) -> str:
    """Return the export of a call, or the table; a list of all exports is of no table."""
    return str(parameters.get("ExportArn") or parameters.get("TableArn", "*"))
