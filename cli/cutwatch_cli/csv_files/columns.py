"""The columns of a table that hold the timestamps and the values, and the rows of one series."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from cutwatch.detectors.unit import Unit, named_unit
from cutwatch_cli.csv_files.reading import CsvError, ReadingOptions, shown
from cutwatch_cli.csv_files.table import Table

_TIMESTAMP = re.compile(r"@?_?(timestamps?|time|date|datetime|date[ /_]time|ts)(\s*\(.*\))?")
_UNITS = ("unit", "units")
_VALUES = ("value", "values", "_value")
_STATISTIC = re.compile(
    r"average|sum|minimum|maximum|samplecount|iqm|(p|tm|tc|ts|wm)\d[\d.]*|(tm|tc|ts|wm|pr)\(.*\)"
)
_SERIES = ("series", "label", "id", "name", "metric", "host", "instance", "labels", "metric_name")
_MOST_NAMED = 5


class Columns(NamedTuple):
    """Indices of the columns of a metric."""

    timestamp: int
    value: int


def find_columns(table: Table, options: ReadingOptions) -> Columns:
    """Return the columns by their names. Raises `CsvError`."""
    names = [name.lower() for name in table.header]
    timestamp = _only(table, _timestamp_columns(names), "timestamp")
    rest = [number for number in range(len(names)) if number != timestamp]
    if options.value is not None:
        wanted = options.value.strip().lower()
        return Columns(timestamp, _only(table, _having(names, rest, (wanted,)), options.value))
    return Columns(timestamp, _only(table, _value_columns(names, rest), "value"))


def one_series(table: Table, columns: Columns, options: ReadingOptions) -> Table:
    """Return the rows of the selected series. Raises `CsvError` if rows of several series remain."""
    labels = [
        number
        for number, name in enumerate(table.header)
        if number not in columns and name.lower() not in _UNITS
    ]
    for wanted in options.series:
        table = _selected(table, labels, wanted)
    for number in labels:
        _refuse_several(table, columns, number)
    only_unit(table)
    return table


def only_unit(table: Table) -> Unit | None:
    """Return the unit in a column of units, if CloudWatch has it. Raises `CsvError` for several units."""
    unit = None
    for number, name in enumerate(table.header):
        if name.lower() not in _UNITS:
            continue
        found = set(table.column(number)) - {""}
        if len(found) > 1:
            raise CsvError(
                f"{table.path}, column {name.lower()}: has the units {_listed(found)}; "
                "a metric has one unit"
            )
        unit = named_unit(found.pop()) if found else unit
    return unit


def _timestamp_columns(names: Sequence[str]) -> list[int]:
    exact = [number for number, name in enumerate(names) if name == "timestamp"]
    return exact or [number for number, name in enumerate(names) if _TIMESTAMP.fullmatch(name)]


def _value_columns(names: Sequence[str], rest: Sequence[int]) -> list[int]:
    """Return the columns named value, else those named like a statistic, else all that are not labels."""
    if named := _having(names, rest, _VALUES):
        return named
    if statistics := [number for number in rest if _STATISTIC.fullmatch(names[number])]:
        return statistics
    return [n for n in rest if names[n] and names[n] not in (*_UNITS, *_SERIES)]


def _having(names: Sequence[str], among: Sequence[int], wanted: Collection[str]) -> list[int]:
    return [number for number in among if names[number] in wanted]


def _only(table: Table, found: Sequence[int], wanted: str) -> int:
    """Return the only column found. Raises `CsvError` that shows the header."""
    if len(found) == 1:
        return found[0]
    first = "" if table.part == "datapoint" else ", row 1"
    if not found:
        header = shown(",".join(table.header))
        raise CsvError(
            f"{table.path}{first}: has no column {wanted}; the first row is {header} "
            "and must name the columns timestamp,value"
        )
    names = [table.header[number] for number in found]
    if len(set(names)) < len(names):
        raise CsvError(f"{table.path}{first}: has {names[0].lower()} twice")
    remedy = "join them into one" if wanted == "timestamp" else "choose one with --value"
    kind = "timestamps" if wanted == "timestamp" else "values"
    raise CsvError(
        f"{table.path}{first}: {_listed(names)} may each be the column of {kind}; {remedy}"
    )


def _selected(table: Table, labels: Sequence[int], wanted: str) -> Table:
    holding = [number for number in labels if wanted in table.column(number)]
    if len(holding) == 1:
        return table.only(holding[0], wanted)
    if holding:
        where = _listed([table.header[number] for number in holding])
        raise CsvError(f"{table.path}: --series {shown(wanted)} is in the columns {where}")
    known = {cell for number in labels for cell in table.column(number)}
    raise CsvError(f"{table.path}: has no series {shown(wanted)}; it has {_listed(known)}")


def _refuse_several(table: Table, columns: Columns, number: int) -> None:
    labels = table.column(number)
    distinct = set(labels)
    if not 1 < len(distinct) <= max(len(labels) // 2, 2):
        return
    named = table.header[number].lower() in _SERIES and len(distinct) <= len(labels) // 2
    # Numbers may be the flags of labelled anomalies: they tell series apart only where rows share a timestamp.
    text = not all(_is_number(label) for label in labels)
    apart = _tells_apart(table.column(columns.timestamp), labels)
    if (named and text) or (apart and (named or text)):
        raise CsvError(
            f"{table.path}, column {table.header[number].lower()}: labels {len(distinct)} series: "
            f"{_listed(distinct)}; choose one with --series"
        )


def _is_number(label: str) -> bool:
    return label.replace(".", "", 1).lstrip("-").isdecimal()


def _tells_apart(timestamps: Sequence[str], labels: Sequence[str]) -> bool:
    """Return True if rows share timestamps, and the labels make them unique."""
    pairs = set(zip(timestamps, labels, strict=True))
    return len(set(timestamps)) < len(timestamps) == len(pairs)


def _listed(names: Collection[str]) -> str:
    ordered = sorted(names) if isinstance(names, set) else list(names)
    more = len(ordered) - _MOST_NAMED
    told = ", ".join(map(shown, ordered[:_MOST_NAMED]))
    return f"{told} and {more} more" if more > 0 else told
