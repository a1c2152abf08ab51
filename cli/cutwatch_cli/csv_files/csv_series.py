"""A metric in a file, read onto the regular grid of its period."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cutwatch.timeseries.arrays import Floats
from cutwatch.wording import count
from cutwatch_cli.csv_files.columns import find_columns, one_series, only_unit
from cutwatch_cli.csv_files.file_table import read_table
from cutwatch_cli.csv_files.numbers import parse_values
from cutwatch_cli.csv_files.reading import DEFAULT_OPTIONS, CsvError, ReadingOptions
from cutwatch_cli.csv_files.regular_grid import MetricSeries, detect_period, on_grid
from cutwatch_cli.csv_files.stamps import parse_timestamps
from cutwatch_cli.csv_files.table import Table

__all__ = ["CsvError", "MetricSeries", "ReadingOptions", "read_csv", "write_csv"]

MOST_DATAPOINTS = 2_000_000
_HEADER = ("timestamp", "value")


def read_csv(
    path: Path, options: ReadingOptions = DEFAULT_OPTIONS, period: int | None = None
) -> MetricSeries:
    """Read one metric from CSV or the AWS CLI's JSON; the notes list guesses and repairs. Raises `CsvError`.

    Without a period (seconds), it is that of most rows.
    """
    table = read_table(path)
    columns = find_columns(table, options)
    table = one_series(table, columns, options)
    stamps = parse_timestamps(table, columns.timestamp, options)
    epochs = np.array(stamps.epochs)
    parsed = parse_values(table, columns.value, options.decimal)
    values = np.array(parsed.numbers)
    _check_enough(table, epochs, values)
    period = period or detect_period(epochs)
    _check_span(table, epochs, period, columns.timestamp)
    series = on_grid(epochs, values, period)
    cells = zip(table.column(columns.timestamp), table.column(columns.value), strict=True)
    notes = [*_source_notes(table, columns.value), *parsed.notes, *stamps.notes, *series.notes]
    return replace(
        series,
        notes=notes,
        cells=list(cells),
        time_zone=stamps.time_zone,
        unit=only_unit(table),
    )


def write_csv(series: MetricSeries, path: Path) -> None:
    """Write a row for each period, with an empty value where there is no datapoint: `read_csv` returns the same series."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        writer.writerows(as_cells(series))


def as_cells(series: MetricSeries) -> Iterator[tuple[str, str]]:
    """Yield timestamp and value of every period; the value is empty where there is no datapoint."""
    for timestamp, value in zip(series.timestamps, series.values, strict=True):
        written = "" if math.isnan(value) else f"{value:.17g}"
        yield timestamp.isoformat().replace("+00:00", "Z"), written


def _source_notes(table: Table, value: int) -> Sequence[str]:
    name = table.header[value]
    column = [] if name.lower() == "value" else [f"Values were read from the column {name}."]
    return [*column, *table.notes]


def _check_enough(table: Table, epochs: Floats, values: Floats) -> None:
    if len(np.unique(epochs[~np.isnan(values)])) < 2:
        rows = count(len(values), table.part)
        raise CsvError(
            f"{table.path}: {rows} {'is' if len(values) == 1 else 'are'} too few; "
            "a metric needs values at two timestamps or more"
        )


def _check_span(table: Table, epochs: Floats, period: int, column: int) -> None:
    first, last = int(epochs.argmin()), int(epochs.argmax())
    datapoints = (epochs[last] - epochs[first]) / period
    if datapoints > MOST_DATAPOINTS:
        raise CsvError(
            f"{table.path}, column {table.header[column].lower()}: {table.part}s {table.places[first]} and "
            f"{table.places[last]} are {datapoints:,.0f} periods of {period} s apart, more than "
            f"{MOST_DATAPOINTS:,}; one of them is wrong"
        )
