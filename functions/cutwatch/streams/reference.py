"""Reference data as a table, and the rows that records are joined with."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from cutwatch.detectors.reference_data import ReferenceData
from cutwatch.errors import InvalidReference

# Measured: 294,000 rows of 4 columns take 170 MiB of memory and 1.1 s.
MOST_BYTES = 10 * 1024 * 1024
_JSON_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")

Row = Mapping[str, Any]


class Reference(Protocol):
    """Rows by key."""

    def refresh(self) -> None:
        """Read the rows again if that is due; called before each batch. Raises `CutwatchError` if there are none yet."""

    def row(self, key: str) -> Row | None:
        """Return the row of a key; None if there is none."""


class ReferenceJoin(NamedTuple):
    """Join of records with rows: by the record's place `place`; a record without a row is rejected if one is `required`."""

    rows: Reference
    place: str
    columns: tuple[str, ...]
    required: bool


class ReferenceTable:
    """Rows of an object, in memory."""

    def __init__(self, rows: Mapping[str, Row]) -> None:
        self._rows = rows

    @classmethod
    def from_bytes(cls, content: bytes, declared: ReferenceData) -> "ReferenceTable":
        """Read CSV with a header or JSON lines. Raises `InvalidReference` with line and reason."""
        check_size(len(content), declared)
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InvalidReference(f"{declared.s3}: is not UTF-8 text") from None
        rows: dict[str, Row] = {}
        for line, row in (_csv_rows if declared.is_csv else _json_rows)(text, declared):
            key = row.get(declared.key)
            if key is None:
                raise InvalidReference(f"{declared.s3}: line {line} has no column {declared.key!r}")
            if str(key) in rows:
                raise InvalidReference(f"{declared.s3}: line {line} repeats a key")
            rows[str(key)] = _kept(row, declared)
        return cls(rows)

    def refresh(self) -> None:
        """Do nothing: the rows are those of the object when it was read."""

    def row(self, key: str) -> Row | None:
        """Return the row of a key; None if there is none."""
        return self._rows.get(key)


def check_size(size: int, declared: ReferenceData) -> None:
    """Raise `InvalidReference` if an object is too large for the memory of a function."""
    if size > MOST_BYTES:
        raise InvalidReference(
            f"{declared.s3}: has {size:,} bytes; at most {MOST_BYTES:,} are read. Leave out columns or rows that are not needed"
        )


def _csv_rows(text: str, declared: ReferenceData) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = [name for name in (declared.key, *declared.columns) if name not in header]
        if missing:
            raise InvalidReference(f"{declared.s3}: the header has no column {missing[0]!r}")
        key = header.index(declared.key)
        for cells in filter(None, reader):
            if len(cells) != len(header):
                raise InvalidReference(f"{declared.s3}: line {reader.line_num} has {len(cells)} columns instead of {len(header)}")  # fmt: skip
            row = dict(zip(header, map(_value, cells), strict=True))
            yield reader.line_num, row | {declared.key: cells[key].strip() or None}
    except csv.Error as error:
        raise InvalidReference(f"{declared.s3}: line {reader.line_num} is not CSV: {error}") from None  # fmt: skip


def _json_rows(text: str, declared: ReferenceData) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(text.split("\n"), start=1):
        if not content.strip():
            continue
        try:
            row = json.loads(content)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise InvalidReference(f"{declared.s3}: line {line} is not a JSON object")
        yield line, row


def _value(cell: str) -> Any:
    """Return a cell as a number if it is written as one, None if it is empty, else as text: `007` is not a number."""
    cell = cell.strip()
    return json.loads(cell) if _JSON_NUMBER.fullmatch(cell) else cell or None


def _kept(row: dict[str, Any], declared: ReferenceData) -> Row:
    if not declared.columns:
        return row
    return {name: row.get(name) for name in declared.columns}
