"""Timestamps as people write them: one form throughout a file, and one rule for those without a zone."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from cutwatch_cli.csv_files.local_time import ClockChanges, local_epochs
from cutwatch_cli.csv_files.reading import CsvError, DateOrder, ReadingOptions, shown
from cutwatch_cli.csv_files.table import Table

# From November 1985: smaller numbers are row counters, or dates such as 202603011200.
_FIRST_EPOCH, _LAST_EPOCH = 5e8, 1e10
_EPOCHS = {"seconds": 1e0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_DATE = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})"
    r"(?:,?[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?: ?([AaPp])\.?[Mm]\.?)?)?",
    re.ASCII,
)
_OFFSET = re.compile(r"(?<=\d)[+-]\d\d:?\d\d$")
_SPACED_OFFSET = re.compile(r" (?=[+-]\d\d:?\d\d$)")
_WITH_ZONE, _WITHOUT_ZONE = "ISO 8601 with a zone", "ISO 8601 without a zone"
_YEAR_FIRST, _DAY_FIRST = "a date such as 2026/03/31", "a date such as 31.03.2026"
_UNORDERED = "a date such as 03/31/2026 or 31/03/2026"
_EXPECTED = (
    "is not a timestamp; expected ISO 8601 (2026-03-01T12:00:00Z), a date such as 2026/03/31 12:00, "
    "31.03.2026 12:00 or 3/31/2026 12:00 PM, or epoch seconds, milliseconds, microseconds or nanoseconds"
)
_UTC = "UTC"
_YEAR_DIGITS, _MONTHS, _HALF_DAY = 4, 12, 12


class Stamps(NamedTuple):
    """Epoch seconds of each row, the time zone to report in, and what a reader of the results should know."""

    epochs: list[float]
    time_zone: str
    notes: list[str]


class _Date(NamedTuple):
    """A date in which the order of day and month is not yet known, and its time of day."""

    first: int
    second: int
    year: int
    clock: tuple[int, int, int]


_Parsed = tuple[str, float | datetime | _Date]


def parse_timestamps(table: Table, column: int, options: ReadingOptions) -> Stamps:
    """Return the timestamps of a column. Raises `CsvError` for a cell that cannot be read, or in another form."""
    parsed = list(_parsed(table, column))
    if not parsed:
        return Stamps([], options.time_zone, [])
    _check_one_form(table, column, parsed)
    given = [value for _, value in parsed]
    if isinstance(given[0], float):
        epochs = [each for each in given if isinstance(each, float)]
        return Stamps(epochs, options.time_zone, _offset_note(table.column(column)[0], options))
    dates = [each for each in given if isinstance(each, _Date)]
    if dates:
        dotted = parsed[0][0] == _DAY_FIRST
        order = "day-first" if dotted else _order(table, column, dates, options.dates)
        naive = [_ordered(table, column, n, date, order) for n, date in enumerate(dates)]
    else:
        naive = [each for each in given if isinstance(each, datetime)]
    return _without_zone(table, column, naive, options.time_zone)


def _parsed(table: Table, column: int) -> Iterator[_Parsed]:
    for position, text in enumerate(table.column(column)):
        try:
            yield _parse(text.replace("\u202f", " ").replace("\u00a0", " "))
        except (ValueError, OverflowError):
            raise table.error(position, f"{shown(text)} {_EXPECTED}", column) from None


def _parse(text: str) -> _Parsed:
    try:
        number = float(text)
    except ValueError:
        return _parse_date(text)
    for unit, factor in _EPOCHS.items():
        if _FIRST_EPOCH <= number / factor < _LAST_EPOCH:
            return f"epoch {unit}", number / factor
    raise ValueError(text)


def _parse_date(text: str) -> _Parsed:
    iso = _SPACED_OFFSET.sub("", re.sub(r" ?(UTC|GMT)$", "", text))
    try:
        time = datetime.fromisoformat(iso)
    except ValueError:
        return _parse_other_date(text)
    if time.tzinfo is None and iso != text:
        time = time.replace(tzinfo=UTC)
    return (_WITH_ZONE, time.timestamp()) if time.tzinfo else (_WITHOUT_ZONE, time)


def _parse_other_date(text: str) -> _Parsed:
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    if len(match[1]) == _YEAR_DIGITS:
        day = (int(match[1]), int(match[3]), int(match[4]))
        return _YEAR_FIRST, datetime(*day, *_clock(match))  # noqa: DTZ001 - a zone follows
    return _day_and_month(match)


def _day_and_month(match: re.Match[str]) -> _Parsed:
    if len(match[4]) != _YEAR_DIGITS:
        raise ValueError(match[0])
    date = _Date(int(match[1]), int(match[3]), int(match[4]), _clock(match))
    return (_DAY_FIRST if match[2] == "." else _UNORDERED), date


def _clock(match: re.Match[str]) -> tuple[int, int, int]:
    hour, minute, second = (int(match[number] or 0) for number in (5, 6, 7))
    if half := (match[8] or "").lower():
        if not 1 <= hour <= _HALF_DAY:
            raise ValueError(match[0])
        hour = hour % _HALF_DAY + (_HALF_DAY if half == "p" else 0)
    return hour, minute, second


def _check_one_form(table: Table, column: int, parsed: Sequence[_Parsed]) -> None:
    first, _ = parsed[0]
    for position, (form, _) in enumerate(parsed):
        if form != first:
            raise table.error(
                position,
                f"is {form}, but {table.where(0)} is {first}; use one form throughout",
                column,
            )


def _order(
    table: Table, column: int, dates: Sequence[_Date], stated: DateOrder | None
) -> DateOrder:
    """Return the order that the whole file proves."""
    if stated:
        return stated
    proven: set[DateOrder] = set()
    proven |= {"day-first"} if any(date.first > _MONTHS for date in dates) else set()
    proven |= {"month-first"} if any(date.second > _MONTHS for date in dates) else set()
    if len(proven) == 1:
        return proven.pop()
    why = "mixes both orders of day and month" if proven else "could be day or month first"
    raise CsvError(
        f"{table.path}, column {table.header[column].lower()}: {shown(table.column(column)[0])} {why}; "
        "say --dates day-first or --dates month-first"
    )


def _ordered(table: Table, column: int, position: int, date: _Date, order: DateOrder) -> datetime:
    month, day = (date.first, date.second) if order == "month-first" else (date.second, date.first)
    try:
        return datetime(date.year, month, day, *date.clock)  # noqa: DTZ001 - a zone follows
    except ValueError:
        text = table.column(column)[position]
        raise table.error(position, f"{shown(text)} is not a {order} date", column) from None


def _offset_note(text: str, options: ReadingOptions) -> list[str]:
    offset = _OFFSET.search(text)
    if offset is None or not offset[0].strip("+-:0") or options.time_zone != _UTC:
        return []
    return [f"Timestamps carry the offset {offset[0]}; times are reported in UTC (--time-zone)."]


def _without_zone(table: Table, column: int, naive: Sequence[datetime], zone: str) -> Stamps:
    if zone != _UTC and all(each.time() == datetime.min.time() for each in naive):
        epochs = [each.replace(tzinfo=UTC).timestamp() for each in naive]
        return Stamps(
            epochs,
            _UTC,
            ["Days without a time of day are reported as days of UTC, as they stand in the file."],
        )
    try:
        changes = local_epochs(naive, ZoneInfo(zone))
    except ClockChanges as error:
        raise table.error(
            error.position,
            f"{shown(table.column(column)[error.position])} does not exist in {zone}, where the clock was "
            "set forward; say with --time-zone which zone the file is in",
            column,
        ) from None
    notes = [f"Timestamps without a zone were read as {zone} (--time-zone)."]
    if changes.repeated:
        notes.append(
            f"{changes.repeated} {'row' if changes.repeated == 1 else 'rows'} in an hour that occurs twice, "
            "when the clock was set back, were distinguished by their order."
        )
    return Stamps(changes.epochs, zone, notes)
