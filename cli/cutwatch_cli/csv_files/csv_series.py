"""A metric in a CSV file, read onto the regular grid of its period."""

import csv
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cutwatch_cli.csv_files.regular_grid import MetricSeries, detect_period, on_grid

__all__ = ["CsvError", "MetricSeries", "read_csv", "write_csv"]

MOST_DATAPOINTS = 2_000_000
FIRST_PLAUSIBLE_EPOCH = 1e8  # 1973; smaller numbers are row counters or dates such as 20260301
FIRST_EPOCH_MILLISECONDS = 1e11
LAST_PLAUSIBLE_EPOCH_MILLISECONDS = 1e13
MISSING_VALUES = {"", "nan", "null", "none", "na", "n/a"}
EXPECTED = {
    "timestamp": "ISO 8601 (2026-03-01T12:00:00Z) nor epoch seconds or milliseconds",
    "value": "a finite number such as 12.5 nor empty for a missing datapoint",
}


class CsvError(ValueError):
    """One line that says why a file does not contain a valid metric."""


class _Row(NamedTuple):
    line: int
    form: str
    epoch: float
    value: float


class _Columns(NamedTuple):
    timestamp: int
    value: int


def read_csv(path: Path, period: int | None = None) -> MetricSeries:
    """Read the columns `timestamp` and `value`; the notes list guesses and repairs. Raises `CsvError`.

    Without a period (seconds), it is that of most rows.
    """
    rows = list(_rows(path))
    _check_one_form(path, rows)
    _check_enough(path, rows)
    epochs = np.array([row.epoch for row in rows])
    values = np.array([row.value for row in rows])
    period = period or detect_period(epochs)
    _check_span(path, rows, period)
    return on_grid(epochs, values, period)


def write_csv(series: MetricSeries, path: Path) -> None:
    """Write a row for each period, with an empty value where there is no datapoint: `read_csv` returns the same series."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_Columns._fields)
        writer.writerows(as_cells(series))


def as_cells(series: MetricSeries) -> Iterator[tuple[str, str]]:
    """Yield timestamp and value of every period; the value is empty where there is no datapoint."""
    for timestamp, value in zip(series.timestamps, series.values, strict=True):
        written = "" if math.isnan(value) else f"{value:.17g}"
        yield timestamp.isoformat().replace("+00:00", "Z"), written


def _rows(path: Path) -> Iterator[_Row]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            filled = filter(None, reader)
            columns = _find_columns(path, next(filled, []))
            yield from (_parse_row(path, reader.line_num, row, columns) for row in filled)
    except OSError as error:
        raise CsvError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CsvError(f"{path}: is not UTF-8 text; save it as CSV in UTF-8") from error
    except csv.Error as error:
        raise CsvError(f"{path}, row {reader.line_num}: is not CSV: {error}") from error


def _find_columns(path: Path, header: list[str]) -> _Columns:
    if not header:
        raise CsvError(f"{path}: is empty; the first row must name the columns timestamp,value")
    names = [name.strip().lower() for name in header]
    for wanted in _Columns._fields:
        if names.count(wanted) != 1:
            problem = f"has no column {wanted}" if wanted not in names else f"has {wanted} twice"
            raise CsvError(
                f"{path}, row 1: {problem}; the first row is {_shown(','.join(header))} "
                "and must name the columns timestamp,value, separated by commas"
            )
    return _Columns(*map(names.index, _Columns._fields))


def _parse_row(path: Path, line: int, cells: list[str], columns: _Columns) -> _Row:
    column = "timestamp"
    try:
        form, epoch = _parse_timestamp(cells[columns.timestamp].strip())
        column = "value"
        return _Row(line, form, epoch, _parse_value(cells[columns.value].strip()))
    except IndexError:
        raise CsvError(f"{path}, row {line}: ends before the column {column}") from None
    except (ValueError, OverflowError):
        cell = _shown(cells[getattr(columns, column)].strip())
        raise CsvError(
            f"{path}, row {line}, column {column}: {cell} is neither {EXPECTED[column]}"
        ) from None


def _parse_timestamp(text: str) -> tuple[str, float]:
    try:
        number = float(text)
    except ValueError:
        return _parse_iso(text)
    if FIRST_PLAUSIBLE_EPOCH <= number < FIRST_EPOCH_MILLISECONDS:
        return "epoch seconds", number
    if FIRST_EPOCH_MILLISECONDS <= number < LAST_PLAUSIBLE_EPOCH_MILLISECONDS:
        return "epoch milliseconds", number / 1000
    raise ValueError(text)


def _parse_iso(text: str) -> tuple[str, float]:
    time = datetime.fromisoformat(text)
    if time.tzinfo:
        return "ISO 8601 with a zone", time.timestamp()
    return "ISO 8601 without a zone", time.replace(tzinfo=UTC).timestamp()


def _parse_value(text: str) -> float:
    if text.lower() in MISSING_VALUES:
        return math.nan
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _check_one_form(path: Path, rows: list[_Row]) -> None:
    for row in rows:
        if row.form != rows[0].form:
            raise CsvError(
                f"{path}, row {row.line}, column timestamp: is {row.form}, "
                f"but row {rows[0].line} is {rows[0].form}; use one form throughout"
            )


def _check_enough(path: Path, rows: list[_Row]) -> None:
    if len({row.epoch for row in rows if not math.isnan(row.value)}) < 2:
        counted = "1 row is" if len(rows) == 1 else f"{len(rows)} rows are"
        raise CsvError(
            f"{path}: {counted} too few; a metric needs values at two timestamps or more"
        )


def _check_span(path: Path, rows: list[_Row], period: int) -> None:
    first, last = (choose(rows, key=lambda row: row.epoch) for choose in (min, max))
    datapoints = (last.epoch - first.epoch) / period
    if datapoints > MOST_DATAPOINTS:
        raise CsvError(
            f"{path}, column timestamp: rows {first.line} and {last.line} are {datapoints:,.0f} "
            f"periods of {period} s apart, more than {MOST_DATAPOINTS:,}; one of them is wrong"
        )


def _shown(text: str, width: int = 40) -> str:
    return repr(text if len(text) <= width else text[: width - 1] + "…")
