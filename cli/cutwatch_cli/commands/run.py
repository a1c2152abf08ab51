"""`cutwatch run`: the application on a CSV file, on the local AWS."""

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, check_choice, end
from cutwatch_cli.commands.local_aws import check_installed
from cutwatch_cli.commands.options import BUILD
from cutwatch_cli.commands.reading_options import (
    Dates,
    Decimal,
    Series,
    TimeZone,
    ValueColumn,
    reading_options,
)

if TYPE_CHECKING:
    from cutwatch.detectors.detector import Detector
    from cutwatch_cli.csv_files.regular_grid import MetricSeries

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 64


def run(
    csv: Annotated[
        Path,
        typer.Option(help="CSV file with the columns timestamp and value, or JSON of the AWS CLI."),
    ],
    training_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days for training only; default: 30, or 15 % of the file if that is less.",
            show_default=False,
        ),
    ] = None,
    missing_data: Annotated[
        str, typer.Option(help="Meaning of a gap: ignore, zero, previous or anomalous.")
    ] = "ignore",
    time_zone: TimeZone = "UTC",
    decimal: Decimal = None,
    dates: Dates = None,
    value: ValueColumn = None,
    series: Series = None,
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = BUILD / "run",
) -> None:
    """Replay the schedules over your own metric, through the real state machines on the local AWS."""
    from cutwatch.detectors.detector import MissingData
    from cutwatch_cli.csv_files.csv_series import CsvError, read_csv

    check_choice("--missing-data", missing_data, get_args(MissingData))
    reading = reading_options(time_zone, decimal, dates, value, series)
    try:
        metric = read_csv(csv, reading)
        detector = _detector_of(csv, metric, missing_data)
    except (CsvError, ValueError) as error:
        end(str(error), USAGE_ERROR)
    _check_training_days(metric, training_days)
    check_installed("cutwatch run")
    from cutwatch_cli.commands.replaying import show_replay

    for line in metric.notes:
        typer.echo(line)
    output.mkdir(parents=True, exist_ok=True)
    show_replay(metric, detector, output / f"{csv.stem}.html", training_days)


def _detector_of(csv: Path, series: "MetricSeries", missing_data: str) -> "Detector":
    from cutwatch.detectors.detector import Detector

    name = _NOT_IN_NAMES.sub("-", csv.stem).strip("-._")[:_LONGEST_NAME] or "metric"
    return Detector(
        name=name,
        namespace="Cutwatch/Csv",
        metric=name,
        statistic="Average",
        period=series.period_seconds,
        missing_data=missing_data,  # type: ignore[arg-type]  # checked against MissingData
        time_zone=series.time_zone,
    )


def _check_training_days(series: "MetricSeries", training_days: float | None) -> None:
    length = series.end - series.start
    if training_days is not None and timedelta(days=training_days) >= length:
        days = length / timedelta(days=1)
        end(f"--training-days {training_days}: the file covers only {days:.1f} days", USAGE_ERROR)
