"""Fields of sampled records, JSON or CSV: each with its place and its value in every record."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cutwatch.errors import InvalidInput
from cutwatch.streams.record_fields import AGGREGATE

# Kinesis has no header and no format: what most records are counts.
_MOST = 0.9
_DEEPEST, _MOST_ELEMENTS, _MOST_FIELDS = 6, 5, 500
_DELIMITERS = (",", ";", "\t", "|")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class SampledRecord(NamedTuple):
    """A record of a stream; without partition key and arrival (epoch seconds) if it is a line of a file."""

    data: bytes
    partition_key: str | None = None
    arrival: float | None = None


@dataclass(frozen=True)
class SampledFields:
    """Values of each field by place; only records in which a field is present and not null have a value, by number.

    `records` are those that could be read, in order; `columns` and `delimiter` belong to CSV.
    """

    records: Sequence[SampledRecord]
    values: Mapping[str, Mapping[int, Any]]
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    unread: int = 0
    comments: list[str] = field(default_factory=list)

    @property
    def is_csv(self) -> bool:
        """True for CSV, False for JSON."""
        return bool(self.columns)

    def present(self, place: str) -> bool:
        """Return True if every record has the field."""
        return len(self.values[place]) == len(self.records)

    def column(self, place: str) -> list[Any]:
        """Return the field's values in the order of the records that have it."""
        return list(self.values[place].values())


def fields_of(records: Sequence[SampledRecord]) -> SampledFields:
    """Return the fields of records. Raises `InvalidInput` if there are none, or if they are neither JSON nor CSV."""
    if not records:
        raise InvalidInput("no records")
    if sum(each.data.startswith(AGGREGATE) for each in records) > len(records) / 2:
        raise InvalidInput(
            "the records are aggregates of the Kinesis Producer Library, which Cutwatch does not read; "
            "set AggregationEnabled to false in the producer"
        )
    found = _json_fields(records) or _csv_fields(records)
    if found is None:
        raise InvalidInput(
            f"the records are neither JSON objects nor lines of CSV ({', '.join(map(repr, _DELIMITERS))}); "
            "a preprocessor can convert them, see docs/streams.md"
        )
    return found


def _json_fields(records: Sequence[SampledRecord]) -> SampledFields | None:
    parsed = [(record, content) for record in records if (content := _json_object(record.data))]
    if len(parsed) < _MOST * len(records):
        return None
    values: dict[str, dict[int, Any]] = {}
    for number, (_, content) in enumerate(parsed):
        for place, value in _leaves(content, "", 0):
            if value is not None and (place in values or len(values) < _MOST_FIELDS):
                values.setdefault(place, {})[number] = value
    return SampledFields([record for record, _ in parsed], values, unread=len(records) - len(parsed))  # fmt: skip


def _json_object(data: bytes) -> dict[str, Any]:
    """Return the fields of a JSON object; none for anything else."""
    try:
        content = json.loads(data.decode())
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _leaves(content: Any, place: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the values that are neither objects nor lists, each with its JMESPath expression."""
    if depth > _DEEPEST:
        return
    if isinstance(content, dict):
        for name, value in content.items():
            step = name if _PLAIN_NAME.fullmatch(name) else json.dumps(name)
            yield from _leaves(value, f"{place}.{step}" if place else step, depth + 1)
    elif isinstance(content, list):
        for number, value in enumerate(content[:_MOST_ELEMENTS]):
            yield from _leaves(value, f"{place}[{number}]", depth + 1)
    else:
        yield place, content


def _csv_fields(records: Sequence[SampledRecord]) -> SampledFields | None:
    tables = [table for table in (_table(records, each) for each in _DELIMITERS) if table]
    if not tables:
        return None
    delimiter, rows = max(tables, key=lambda table: len(table[1][0][1]))
    unread = len(records) - len(rows)
    names, comments = _names(rows[0][1], [cells for _, cells in rows[1:]])
    if names is None:
        names = tuple(f"column{number}" for number in range(1, len(rows[0][1]) + 1))
        comments = ["CSV without a header: rename the columns."]
    else:
        rows = rows[1:]
    values = {
        name: {number: cells[place] for number, (_, cells) in enumerate(rows) if cells[place]}
        for place, name in enumerate(names)
    }
    return SampledFields([record for record, _ in rows], values, names, delimiter, unread, comments)


def _table(
    records: Sequence[SampledRecord], delimiter: str
) -> tuple[str, list[tuple[SampledRecord, list[str]]]] | None:
    """Return the records with the most frequent number of cells, if nearly all have it, and more than one cell."""
    rows = [(record, cells) for record in records if (cells := _cells(record.data, delimiter))]
    widths = Counter(len(cells) for _, cells in rows)
    if not widths:
        return None
    [(width, frequency)] = widths.most_common(1)
    if width == 1 or frequency < _MOST * len(records):
        return None
    return delimiter, [row for row in rows if len(row[1]) == width]


def _cells(data: bytes, delimiter: str) -> list[str]:
    try:
        text = data.decode().rstrip("\r\n")
        [row] = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True)
    except (ValueError, csv.Error):
        return []
    return [cell.strip() for cell in row]


def _names(
    first: Sequence[str], others: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...] | None, list[str]]:
    """Return the first row as names of columns if it looks like a header: text only, where others have numbers."""
    is_header = (
        len(set(first)) == len(first)
        and all(cell and not _is_number(cell) and not cell[0].isdigit() for cell in first)
        and any(_is_number(cell) for row in others for cell in row)
    )
    if not is_header:
        return None, []
    return tuple(first), ["The first record is a header; records of a stream have none."]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
