"""A file as a table of text: CSV of any usual delimiter, CloudWatch's exports, and the AWS CLI's JSON."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from cutwatch_cli.csv_files import aws_output
from cutwatch_cli.csv_files.reading import CsvError, one_line, shown
from cutwatch_cli.csv_files.table import Table

_DELIMITERS = ",;\t|"
_EXCEL_SEPARATOR = "sep="


def read_table(path: Path) -> Table:
    """Read a file whose rows all fit its header. Raises `CsvError`."""
    text = _text(path)
    if text.lstrip()[:1] in ("{", "["):
        return aws_output.json_table(path, text)
    return _fitting(_csv_table(path, text))


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CsvError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CsvError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error


def _csv_table(path: Path, text: str) -> Table:
    delimiter, skipped = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    places, rows = [], []
    try:
        for row in reader:
            if row and reader.line_num > skipped:
                places.append(reader.line_num)
                rows.append(row)
    except csv.Error as error:
        raise CsvError(f"{path}, row {reader.line_num}: is not CSV: {error}") from error
    if not rows:
        raise CsvError(f"{path}: is empty; the first row must name the columns timestamp,value")
    if aws_output.is_console_export(rows):
        return aws_output.console_table(path, rows, places)
    header = [one_line(name.strip()) for name in rows[0]]
    return Table(path, header, rows[1:], places[1:], delimiter=delimiter)


def _delimiter(text: str) -> tuple[str, int]:
    """Return the delimiter, and how many lines at the beginning state it in Excel's way."""
    filled = (line for line in text.splitlines() if line.strip())
    first = next(filled, "")
    stated = first.strip().lower().removeprefix(_EXCEL_SEPARATOR)
    if first.lower().startswith(_EXCEL_SEPARATOR) and stated and stated in _DELIMITERS:
        return stated, 1
    return max(_DELIMITERS, key=lambda each: _columns(first, each)), 0


def _columns(line: str, delimiter: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=delimiter), []))
    except csv.Error:
        return 0


def _fitting(table: Table) -> Table:
    """Refuse rows that do not fit the header: an unquoted 1,234 would be read as 1."""
    width = len(table.header)
    for position, row in enumerate(table.rows):
        if len(row) != width:
            raise table.error(position, _misfit(row, width))
    return table


def _misfit(row: Sequence[str], width: int) -> str:
    cells = f"has {len(row)} {'cell' if len(row) == 1 else 'cells'}"
    columns = f"the header names {width} {'column' if width == 1 else 'columns'}"
    reason = "; numbers with commas must be in quotes" if len(row) > width else ""
    return f"{cells}, but {columns}{reason}: {shown(' '.join(row))}"
