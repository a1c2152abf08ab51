"""`cutwatch backtest`: the schedules simulated over metrics in CloudWatch or in CSV files."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cutwatch_cli.commands.entry_options import EntryOptions, with_entry_options
from cutwatch_cli.commands.entry_sources import file_detector, read_named
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, check_choice, end
from cutwatch_cli.commands.options import BUILD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutwatch_cli.backtest.files import FileBacktest
    from cutwatch_cli.backtest.simulation import Plan


@with_entry_options
def backtest(
    entry: EntryOptions,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="CSV files, or directories to search for them; without, --detector or --metric is read "
            "from CloudWatch.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(help="Folder for one CSV file per metric, report.html and summary.json."),
    ] = BUILD / "backtest",
    nab_results: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results in the format of the Numenta Anomaly Benchmark, whose 15 % of a file, "
            "at most 750 rows, then are for training only.",
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
    causal: Annotated[
        bool, typer.Option("--causal", help="Raise events with the severity they begin with.")
    ] = False,
    training_schedule: Annotated[
        str, typer.Option(help="Training schedule: monthly or weekly.")
    ] = "monthly",
    page: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a page with the events per metric.")
    ] = True,
) -> None:
    """Simulate the schedules over your own past, without deploying."""
    from cutwatch_cli.backtest.files import write_nab_results
    from cutwatch_cli.backtest.simulation import Plan, TrainingSchedule

    check_choice("--training-schedule", training_schedule, get_args(TrainingSchedule))
    plan = Plan(training_schedule=training_schedule, causal=causal)  # type: ignore[arg-type]  # checked above
    training_time = None if training_days is None else timedelta(days=training_days)
    if not paths and not entry.reads_cloudwatch:
        end("expected files, --detector NAME, or --metric NAME", USAGE_ERROR)
    if not paths:
        _of_histories(entry, training_time, plan, output, page=page)
        return
    probation = nab_results is not None
    done = _of_files(paths, entry, training_time, plan, output, page=page, probation=probation)
    for one in done if nab_results else []:
        write_nab_results(one, nab_results or output)
    _check_scored(done)


def _of_files(
    paths: list[Path],
    entry: EntryOptions,
    training_time: timedelta | None,
    plan: "Plan",
    output: Path,
    *,
    page: bool,
    probation: bool,
) -> "Sequence[FileBacktest]":
    from rich.console import Console

    from cutwatch_cli.backtest.files import Options, backtest_files, find_files
    from cutwatch_cli.backtest.presentation import present_backtests, present_events
    from cutwatch_cli.csv_files.csv_series import CsvError

    options = Options(file_detector(entry), training_time, plan, entry.period, probation)
    try:
        files = find_files(paths)
        done = backtest_files(files, options, output)
        console = Console(highlight=False, soft_wrap=True)
        presented = present_backtests(console, done, len(files), output, report=page)
    except (CsvError, ValueError) as error:
        end(str(error), USAGE_ERROR)
    if len(presented) == 1:
        present_events(console, presented)
    return presented


def _of_histories(
    entry: EntryOptions,
    training_time: timedelta | None,
    plan: "Plan",
    output: Path,
    *,
    page: bool,
) -> None:
    from rich.console import Console

    from cutwatch_cli.backtest.histories import backtest_histories
    from cutwatch_cli.backtest.presentation import present_backtests, present_events

    histories = read_named(entry)
    done = backtest_histories(histories.read, training_time, plan, output)
    console = Console(highlight=False, soft_wrap=True)
    presented = present_backtests(
        console, done, len(histories.read), output, report=page, noun="detector"
    )
    present_events(console, presented)
    _check_scored(presented)
    histories.end()


def _check_scored(done: "Sequence[FileBacktest]") -> None:
    from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS

    if not any(one.summary()["datapoints_scored"] for one in done):
        needed = {one.detector.engine: MINIMUM_TRAINING_ROWS[one.detector.engine] for one in done}
        rows = " and ".join(f"{rows} rows (engine {engine})" for engine, rows in needed.items())
        end(
            f"nothing was scored: training needs {rows} before the first week that is scored; use a longer "
            "history, more --training-days or --engine lambda",
            FAILURE,
        )
