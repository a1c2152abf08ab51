"""`cutwatch backtest`: the schedules simulated over metrics in CloudWatch or in files, or a stream over its records."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from cutwatch_cli.commands.entry_options import EntryOptions, with_entry_options
from cutwatch_cli.commands.entry_sources import file_detector, read_named
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, check_choice, end, note
from cutwatch_cli.commands.options import BUILD
from cutwatch_cli.commands.reading_options import (
    Dates,
    Decimal,
    Series,
    ValueColumn,
    reading_options,
)
from cutwatch_cli.commands.stream_backtest import backtest_records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutwatch_cli.backtest.files import Options, UnreadFile
    from cutwatch_cli.backtest.simulation import Plan


@with_entry_options
def backtest(
    entry: EntryOptions,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="CSV or JSON files, or directories to search for CSV files; without, --detector or --metric is read "
            "from CloudWatch. With --stream, a file with one record per line.",
            show_default=False,
        ),
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Stream of --detectors, for a file of its records.",
            show_default=False,
        ),
    ] = None,
    invoke: Annotated[
        bool,
        typer.Option("--invoke", help="With --stream: call the stream's Lambda functions."),
    ] = False,
    reference: Annotated[
        Path | None,
        typer.Option(
            help="With --stream: file with a copy of the stream's reference data.",
            show_default=False,
        ),
    ] = None,
    cold_start: Annotated[
        Path | None,
        typer.Option(
            help="With --stream: file with a copy of the forest that keys begin with.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path,
        typer.Option(
            help="Folder for one CSV file per metric, report.html and summary.json; with --stream, for the scored rows."
        ),
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
    decimal: Decimal = None,
    dates: Dates = None,
    value: ValueColumn = None,
    series: Series = None,
    page: Annotated[
        bool, typer.Option("--report/--no-report", help="Write a page with the events per metric.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="With --stream: print counts and incidents as JSON.")
    ] = False,
) -> None:
    """Simulate the schedules over the past, or score records."""
    from cutwatch_cli.backtest.files import Options
    from cutwatch_cli.backtest.simulation import Plan, TrainingSchedule

    if stream is not None:
        backtest_records(
            stream,
            paths or [],
            entry,
            output,
            invoke=invoke,
            reference=reference,
            cold_start=cold_start,
            as_json=as_json,
        )
        return
    for option, given in (
        ("--json", as_json),
        ("--invoke", invoke),
        ("--reference", reference),
        ("--cold-start", cold_start),
    ):
        if given:
            end(f"{option} needs --stream", USAGE_ERROR)
    check_choice("--training-schedule", training_schedule, get_args(TrainingSchedule))
    plan = Plan(training_schedule=training_schedule, causal=causal)  # type: ignore[arg-type]  # checked above
    training_time = None if training_days is None else timedelta(days=training_days)
    if not paths and not entry.reads_cloudwatch:
        end("expected files, --detector NAME, or --metric NAME", USAGE_ERROR)
    if paths:
        detector_of = file_detector(entry)
        options = Options(
            detector_of, training_time, plan, period=entry.period, probation=bool(nab_results)
        )
        reading = reading_options(detector_of.time_zone, decimal, dates, value, series)
        _of_files(paths, replace(options, reading=reading), output, nab_results, page=page)
    else:
        _of_histories(entry, training_time, plan, output, page=page)


def _of_files(
    paths: list[Path], options: "Options", output: Path, nab_results: Path | None, *, page: bool
) -> None:
    from rich.console import Console

    from cutwatch_cli.backtest.files import backtest_files, write_nab_results
    from cutwatch_cli.backtest.inputs import check_results, find_files, named_inputs
    from cutwatch_cli.backtest.presentation import present_backtests, present_events
    from cutwatch_cli.csv_files.csv_series import CsvError

    folders = [folder for folder in (output, nab_results) if folder]
    try:
        inputs = named_inputs(find_files(paths, folders))
        check_results(inputs, folders)
    except (CsvError, ValueError) as error:
        end(str(error), USAGE_ERROR)
    console = Console(highlight=False, soft_wrap=True)
    done = backtest_files(inputs, options, output)
    scored, unread = present_backtests(console, done, len(inputs), output, report=page)
    for one in scored if nab_results else []:
        write_nab_results(one, nab_results or output)
    if len(inputs) == 1:
        present_events(console, scored)
    _end_if_unread(unread, len(inputs), "files")


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
    scored, unread = present_backtests(
        console, done, len(histories.read), output, report=page, noun="detector"
    )
    present_events(console, scored)
    _end_if_unread(unread, len(histories.read), "detectors")
    histories.end()


def _end_if_unread(unread: "Sequence[UnreadFile]", inputs: int, noun: str) -> None:
    for missed in unread:
        note(missed.reason)
    if unread and inputs > 1:
        note(f"{len(unread)} of {inputs} {noun} not backtested")
    if unread:
        raise typer.Exit(FAILURE)
