"""`cutwatch backtest`: the schedules simulated over CSV files."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, get_args

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, check_choice, end
from cutwatch_cli.commands.options import BUILD


def backtest(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="CSV files, or directories to search for them."),
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
    time_zone: Annotated[
        str, typer.Option(help="IANA time zone of the metric's daily pattern.")
    ] = "UTC",
    page: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a page with the events per metric.")
    ] = True,
) -> None:
    """Simulate the schedules over your own metrics, without AWS, and report the events."""
    from rich.console import Console

    from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
    from cutwatch.detectors.detector import Detector, Sensitivity
    from cutwatch_cli.backtest.files import Options, backtest_files, find_files, write_nab_results
    from cutwatch_cli.backtest.presentation import present_backtests
    from cutwatch_cli.backtest.simulation import EngineName, Plan, TrainingSchedule
    from cutwatch_cli.csv_files.csv_series import CsvError

    check_choice("--engine", engine, get_args(EngineName))
    check_choice("--training-schedule", training_schedule, get_args(TrainingSchedule))
    check_choice("--sensitivity", sensitivity, get_args(Sensitivity))
    try:
        detector = Detector(
            name="backtest",
            namespace="Cutwatch/Csv",
            metric="metric",
            statistic="Average",
            sensitivity=sensitivity,  # type: ignore[arg-type]  # checked above
            time_zone=time_zone,
        )
        files = find_files(paths)
        training_time = None if training_days is None else timedelta(days=training_days)
        plan = Plan(engine, training_schedule, causal)  # type: ignore[arg-type]  # checked above
        done = present_backtests(
            Console(highlight=False, soft_wrap=True),
            backtest_files(files, Options(detector, training_time, plan), output),
            len(files),
            output,
            report=page,
        )
        for one in done if nab_results else []:
            write_nab_results(one, nab_results or output)
    except (CsvError, ValueError) as error:
        end(str(error), USAGE_ERROR)
    if not any(one.summary()["datapoints_scored"] for one in done):
        end(
            f"nothing was scored: training needs {MINIMUM_TRAINING_ROWS[plan.engine]} rows before the first "
            "week that is scored; use a longer file, more --training-days or --engine lambda",
            FAILURE,
        )
