"""Key, time and values of a record, JSON or CSV, as they stand in it, with the row of the reference data that it is joined with."""

import csv
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cutwatch.detectors.record_format import REFERENCE, Encoding, RecordFormat
from cutwatch.streams.json_text import parsed
from cutwatch.streams.places import compile_place
from cutwatch.streams.record import Content, Reason
from cutwatch.streams.reference import ReferenceJoin, Row

# First bytes of an aggregate of the Kinesis Producer Library.
AGGREGATE = b"\xf3\x89\x9a\xc2"

Fields = tuple[Any, Any, list[Any]]


class RejectedError(Exception):
    """A record is rejected: the reason, and the field and the rule, without its content."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


def _json_reader(declared: RecordFormat, join: ReferenceJoin | None) -> Callable[[Content], Fields]:
    key = compile_place(declared.key) if declared.key else _no_key
    time = compile_place(declared.time)
    values = [compile_place(place) for place in declared.values.values()]

    on = compile_place(join.place) if join else _no_key

    def read(content: Content) -> Fields:
        record = content if isinstance(content, dict) else _json(content)
        if join is not None and isinstance(record, dict):
            record = record | {"reference": _joined(join, on(record))}
        return key(record), time(record), [value(record) for value in values]

    return read


def _json(content: bytes) -> Any:
    try:
        return parsed(content)
    except ValueError:
        raise _unreadable(content, Reason.NOT_JSON, "the record is not a JSON text") from None


def _joined(join: ReferenceJoin, key: Any) -> Row | None:
    """Return the reference data of a record; None without any, if the stream does not require them."""
    found = join.rows.row(str(key)) if type(key) in (str, int) else None
    if found is None and join.required:
        raise RejectedError(
            Reason.MISSING_FIELD, "reference.place has no row in the reference data"
        )
    return found


def _csv_reader(declared: RecordFormat, join: ReferenceJoin | None) -> Callable[[Content], Fields]:
    reference = join.columns if join else ()
    names = [*declared.columns, *(REFERENCE + name for name in reference)]
    places = {name: number for number, name in enumerate(names)}
    key = places[declared.key] if declared.key else None
    time = places[declared.time]
    values = [places[name] for name in declared.values.values()]
    width, delimiter = len(declared.columns), declared.delimiter
    on = places[join.place] if join else 0

    def read(content: Content) -> Fields:
        if isinstance(content, dict):
            raise RejectedError(
                Reason.NOT_CSV, "the preprocessor returned fields; set format: json"
            )
        row = [cell or None for cell in _split(content, delimiter)]
        if len(row) != width:
            raise RejectedError(
                Reason.NOT_CSV, f"the record has {len(row)} columns instead of {width}"
            )
        if join is not None:
            found = _joined(join, row[on]) or {}
            row += [None if found.get(name) is None else str(found[name]) for name in reference]
        return "" if key is None else row[key], row[time], [row[each] for each in values]

    return read


def _split(data: bytes, delimiter: str) -> Sequence[str]:
    try:
        text = data.decode().rstrip("\r\n")
        if '"' not in text and "\n" not in text:
            return [cell.strip() for cell in text.split(delimiter)]
        [row] = csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True)
    except (ValueError, csv.Error):
        raise _unreadable(data, Reason.NOT_CSV, "the record is not one line of CSV") from None
    return [cell.strip() for cell in row]


def _unreadable(data: bytes, reason: Reason, detail: str) -> RejectedError:
    """Return why bytes are not a record; those of an aggregate are neither JSON nor UTF-8."""
    if data.startswith(AGGREGATE):
        return RejectedError(
            Reason.AGGREGATE, "send records without aggregation of the Producer Library"
        )
    return RejectedError(reason, detail)


def _no_key(_: Any) -> str:
    return ""


READERS: Mapping[
    Encoding, Callable[[RecordFormat, ReferenceJoin | None], Callable[[Content], Fields]]
] = {
    "json": _json_reader,
    "csv": _csv_reader,
}
