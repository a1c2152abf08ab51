"""`cutwatch run`: the application on a CSV file or on histories in CloudWatch, on the local AWS."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.entry_options import EntryOptions, with_entry_options
from cutwatch_cli.commands.entry_sources import Histories, file_detector, read_named
from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.local_aws import check_installed
from cutwatch_cli.commands.options import BUILD
from cutwatch_cli.commands.reading_options import (
    Dates,
    Decimal,
    Series,
    ValueColumn,
    reading_options,
)

if TYPE_CHECKING:
    from cutwatch.detectors.detector import Detector
    from cutwatch_cli.csv_files.reading import ReadingOptions
    from cutwatch_cli.csv_files.regular_grid import MetricSeries


@with_entry_options
def run(
    entry: EntryOptions,
    csv: Annotated[
        Path | None,
        typer.Option(
            help="CSV file with the columns timestamp and value, or JSON of the AWS CLI; without, --detector "
            "or --metric is read from CloudWatch.",
            show_default=False,
        ),
    ] = None,
    training_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days for training only; default: 30, or 15 % of the history if that is less.",
            show_default=False,
        ),
    ] = None,
    decimal: Decimal = None,
    dates: Dates = None,
    value: ValueColumn = None,
    series: Series = None,
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = BUILD / "run",
) -> None:
    """Replay the schedules over your own past on the local AWS."""
    if csv is None and not entry.reads_cloudwatch:
        end("expected --csv FILE, --detector NAME, or --metric NAME", USAGE_ERROR)
    reading = reading_options("UTC", decimal, dates, value, series)
    histories = Histories([_read_file(csv, entry, reading)], []) if csv else read_named(entry)
    for _, metric in histories.read:
        _check_training_days(metric, training_days)
    check_installed("cutwatch run")
    from cutwatch_cli.commands.replaying import show_replay

    output.mkdir(parents=True, exist_ok=True)
    for detector, metric in histories.read:
        for line in metric.notes:
            typer.echo(line)
        page = f"{csv.stem if csv else detector.name}.html"
        show_replay(metric, detector, output / page, training_days)
    histories.end()


def _read_file(
    csv: Path, entry: EntryOptions, reading: "ReadingOptions"
) -> "tuple[Detector, MetricSeries]":
    from cutwatch_cli.csv_files.csv_series import CsvError, read_csv

    detector_of = file_detector(entry)
    try:
        series = read_csv(csv, replace(reading, time_zone=detector_of.time_zone), entry.period)
        return detector_of(csv, series), series
    except (CsvError, ValueError) as error:
        end(str(error), USAGE_ERROR)


def _check_training_days(series: "MetricSeries", training_days: float | None) -> None:
    length = series.end - series.start
    if training_days is not None and timedelta(days=training_days) >= length:
        days = length / timedelta(days=1)
        end(
            f"--training-days {training_days}: the history covers only {days:.1f} days", USAGE_ERROR
        )
