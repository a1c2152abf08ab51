"""The command line."""

import re
from collections.abc import Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, get_args

import typer
from rich.console import Console

from cutwatch.detectors.detector import Detector, MissingData, Sensitivity
from cutwatch.errors import InvalidDetectors
from cutwatch_cli.commands.cost import cost
from cutwatch_cli.commands.events import events
from cutwatch_cli.commands.fire import fire
from cutwatch_cli.commands.local import local
from cutwatch_cli.commands.logs import logs
from cutwatch_cli.commands.report import report
from cutwatch_cli.commands.silence import silence
from cutwatch_cli.commands.start import start
from cutwatch_cli.commands.status import status
from cutwatch_cli.discovery.discovery import discover

if TYPE_CHECKING:
    from cutwatch_cli.csv_files.regular_grid import MetricSeries
    from cutwatch_cli.replay.presentation import Planted

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Anomaly detection for CloudWatch metrics: try it on this machine, or look after what is deployed.",
)
console = Console(highlight=False, soft_wrap=True)

USER_MISTAKE = 2
FAILURE = 1
_BUILD = Path("build")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


for command in (discover, cost, status, events, report, start, logs, silence, local, fire):
    app.command()(command)


def main() -> None:
    """Entry point of `cutwatch`."""
    app()


def _print_version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"cutwatch {version('cutwatch')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="Folder for the data and the report.")] = _BUILD
    / "demo",
    seed: Annotated[int, typer.Option(help="Another seed gives another history.")] = 7,
) -> None:
    """Run the whole system on nine weeks of generated data with known anomalies."""
    from cutwatch_cli.csv_files.csv_series import write_csv
    from cutwatch_cli.replay.demo_data import active_users

    data = active_users(seed)
    output.mkdir(parents=True, exist_ok=True)
    write_csv(data.series, output / "active-users.csv")
    detector = Detector(
        name="active-users",
        namespace="VideoPlatform",
        metric="ActiveUsers",
        statistic="Average",
        period=data.series.period_seconds,
        missing_data="anomalous",
    )
    planted = [(p.start, p.end, p.kind) for p in data.planted]
    _replay(data.series, detector, None, output / "report.html", planted)


@app.command()
def run(
    csv: Annotated[Path, typer.Option(help="File with the columns timestamp and value.")],
    training_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days that are only learned from; by default 30, or 15 % of the file if that is less.",
            show_default=False,
        ),
    ] = None,
    missing_data: Annotated[
        str, typer.Option(help="What a gap means: ignore, zero, previous or anomalous.")
    ] = "ignore",
    output: Annotated[Path, typer.Option(help="Folder for the report.")] = _BUILD / "run",
) -> None:
    """Replay months of schedule over a metric of your own, through the real state machines."""
    from cutwatch_cli.csv_files.csv_series import CsvError, read_csv

    _check_choice("--missing-data", missing_data, get_args(MissingData))
    try:
        series = read_csv(csv)
        detector = _detector_of(csv, series, missing_data)
    except (CsvError, ValueError) as error:
        _mistake(str(error))
    for note in series.notes:
        console.print(note)
    output.mkdir(parents=True, exist_ok=True)
    _replay(series, detector, training_days, output / f"{csv.stem}.html", [])


@app.command()
def backtest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH...", help="CSV files, or directories that are searched for them."
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="Folder for one CSV per input, report.html and summary.json.")
    ] = _BUILD / "backtest",
    nab_results: Annotated[
        Path | None,
        typer.Option(
            help="Folder for results in the Numenta Anomaly Benchmark's form.", show_default=False
        ),
    ] = None,
    training_days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Days that are only learned from; by default 15 % of the file, at most 750 rows.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            help="sagemaker: a static forest per training; lambda: one that scores each datapoint, then learns it."
        ),
    ] = "sagemaker",
    causal: Annotated[  # noqa: FBT002
        bool, typer.Option("--causal", help="Judge every datapoint without looking ahead of it.")
    ] = False,
    training_schedule: Annotated[str, typer.Option(help="monthly or weekly.")] = "monthly",
    sensitivity: Annotated[str, typer.Option(help="low, medium or high.")] = "medium",
    time_zone: Annotated[
        str, typer.Option(help="IANA name of the zone the metric lives in.")
    ] = "UTC",
    page: Annotated[  # noqa: FBT002
        bool, typer.Option("--report/--no-report", help="Write the page with each metric's events.")
    ] = True,
) -> None:
    """What would have been raised over metrics of your own: the schedule simulated, without any AWS."""
    from cutwatch_cli.backtest.files import Options, backtest_files, find_files, write_nab_results
    from cutwatch_cli.backtest.simulation import EngineName, Plan, TrainingSchedule
    from cutwatch_cli.csv_files.csv_series import CsvError
    from cutwatch_cli.replay.presentation import present_backtests

    _check_choice("--engine", engine, get_args(EngineName))
    _check_choice("--training-schedule", training_schedule, get_args(TrainingSchedule))
    _check_choice("--sensitivity", sensitivity, get_args(Sensitivity))
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
        options = Options(detector, training_time, plan)
        done = present_backtests(
            console,
            backtest_files(files, options, output),
            len(files),
            output,
            report=page,
        )
        for one in done if nab_results else []:
            write_nab_results(one, nab_results or output)
    except (CsvError, ValueError) as error:
        _mistake(str(error))


@app.command()
def validate(
    detectors: Annotated[
        Path, typer.Option(help="The file that says what to watch.", show_default=True)
    ] = Path("functions/detectors.yaml"),
    template: Annotated[Path, typer.Option(help="The SAM template.")] = Path("template.yaml"),
) -> None:
    """Check detectors.yaml and the template, before anything is deployed."""
    from cutwatch.detectors.detectors_file import load_configuration
    from cutwatch_cli.template_check import TemplateMistakes, check_template

    try:
        found = load_configuration(detectors)
        check_template(template)
    except (InvalidDetectors, TemplateMistakes) as error:
        _mistake(str(error))
    for warning in found.warnings:
        typer.echo(f"cutwatch: warning: {warning}", err=True)
    counts = [_counted(len(found.detectors), "detector")]
    if found.templates:
        counts.append(_counted(len(found.templates), "template"))
    console.print(f"{detectors}: {', '.join(counts)}, valid")
    for detector in found.detectors:
        console.print(f"  {detector.name}: {detector.metric_label}, every {detector.period} s")
    for each in found.templates:
        console.print(
            f"  {each.name}: {each.pattern.metric_label}, every {each.pattern.period} s, "
            f"for each {each.for_each}, at most {each.limit}"
        )
    console.print(f"{template}: valid")


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _detector_of(csv: Path, series: "MetricSeries", missing_data: str) -> Detector:
    name = _NOT_IN_NAMES.sub("-", csv.stem).strip("-._")[:64] or "metric"
    return Detector(
        name=name,
        namespace="Cutwatch/Csv",
        metric=name,
        statistic="Average",
        period=series.period_seconds,
        missing_data=missing_data,  # type: ignore[arg-type]  # checked against MissingData
    )


def _replay(
    series: "MetricSeries",
    detector: Detector,
    training_days: float | None,
    page: Path,
    planted: "Planted",
) -> None:
    from cutwatch_cli.replay.presentation import present, replay_with_progress
    from cutwatch_cli.replay.replay import ReplayError
    from cutwatch_cli.replay.schedule import default_training_time

    training_time = (
        default_training_time(series.start, series.end)
        if training_days is None
        else timedelta(days=training_days)
    )
    if training_time >= series.end - series.start:
        days = (series.end - series.start) / timedelta(days=1)
        _mistake(f"--training-days {training_days}: the file covers only {days:.1f} days")
    try:
        result = replay_with_progress(console, series, detector, training_time)
    except ReplayError as error:
        console.print(f"cutwatch: {error}", style="red")
        raise typer.Exit(FAILURE) from None
    present(console, series, detector, result, page, planted)


def _check_choice(option: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        _mistake(f"{option} {given}: expected one of {', '.join(allowed)}")


def _mistake(message: str) -> NoReturn:
    """One line (one a mistake) and exit code 2: nothing was started."""
    typer.echo(f"cutwatch: {message}", err=True)
    raise typer.Exit(USER_MISTAKE)
