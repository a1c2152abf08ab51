"""`cutwatch backtest`: the schedules simulated over CSV files."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, get_args

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, check_choice, end, note
from cutwatch_cli.commands.options import BUILD
from cutwatch_cli.commands.reading_options import (
    Dates,
    Decimal,
    Series,
    TimeZone,
    ValueColumn,
    reading_options,
)


def backtest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="CSV or JSON files, or directories to search for CSV files."
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="Folder for one CSV file per input, report.html and summary.json.")
    ] = BUILD / "backtest",
    nab_results: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results in the format of the Numenta Anomaly Benchmark.",
            show_default=False,
        ),
    ] = None,
    training_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days for training only; default: 15 % of the file, at most 750 rows.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="sagemaker: a static forest per training; lambda: a forest that learns each datapoint after scoring it."
        ),
    ] = "sagemaker",
    causal: Annotated[
        bool, typer.Option("--causal", help="Raise events with the severity they begin with.")
    ] = False,
    training_schedule: Annotated[
        str, typer.Option(help="Training schedule: monthly or weekly.")
    ] = "monthly",
    sensitivity: Annotated[str, typer.Option(help="Sensitivity: low, medium or high.")] = "medium",
    time_zone: TimeZone = "UTC",
    decimal: Decimal = None,
    dates: Dates = None,
    value: ValueColumn = None,
    series: Series = None,
    page: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a page with the events per metric.")
    ] = True,
) -> None:
    """Simulate the schedules over your own metrics, without AWS, and report the events."""
    from rich.console import Console

    from cutwatch.detectors.detector import Detector, Sensitivity
    from cutwatch_cli.backtest.files import Options, backtest_files, write_nab_results
    from cutwatch_cli.backtest.inputs import check_results, find_files, named_inputs
    from cutwatch_cli.backtest.presentation import present_backtests
    from cutwatch_cli.backtest.simulation import EngineName, Plan, TrainingSchedule
    from cutwatch_cli.csv_files.csv_series import CsvError

    check_choice("--engine", engine, get_args(EngineName))
    check_choice("--training-schedule", training_schedule, get_args(TrainingSchedule))
    check_choice("--sensitivity", sensitivity, get_args(Sensitivity))
    reading = reading_options(time_zone, decimal, dates, value, series)
    folders = [folder for folder in (output, nab_results) if folder]
    try:
        detector = Detector(
            name="backtest",
            namespace="Cutwatch/Csv",
            metric="metric",
            statistic="Average",
            sensitivity=sensitivity,  # type: ignore[arg-type]  # checked above
            time_zone=time_zone,
        )
        inputs = named_inputs(find_files(paths, folders))
        check_results(inputs, folders)
    except (CsvError, ValueError) as error:
        end(str(error), USAGE_ERROR)
    training_time = None if training_days is None else timedelta(days=training_days)
    plan = Plan(engine, training_schedule, causal)  # type: ignore[arg-type]  # checked above
    done, unread = present_backtests(
        Console(highlight=False, soft_wrap=True),
        backtest_files(inputs, Options(detector, training_time, plan, reading), output),
        len(inputs),
        output,
        report=page,
    )
    for one in done if nab_results else []:
        write_nab_results(one, nab_results or output)
    for missed in unread:
        note(missed.reason)
    if unread and len(inputs) > 1:
        note(f"{len(unread)} of {len(inputs)} files not backtested")
    if unread:
        raise typer.Exit(FAILURE)
