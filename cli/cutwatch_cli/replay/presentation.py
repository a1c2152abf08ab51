"""A replay as a person sees it: progress while it runs, then what was found, and a page with charts."""

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cutwatch.detectors.detector import Detector
from cutwatch_cli.backtest.files import FileBacktest, report_of, write_summary
from cutwatch_cli.backtest.simulation import SENSITIVITIES
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.replay import Replay, replay
from cutwatch_cli.replay.schedule import ScheduledRun
from cutwatch_cli.report import (
    MOST_DETECTORS,
    DetectorReport,
    Page,
    planted_table,
    table,
    verdict,
    worst_first,
    write_page,
)
from cutwatch_cli.report.wording import count

Planted = Sequence[tuple[datetime, datetime, str]]


def replay_with_progress(
    console: Console, series: MetricSeries, detector: Detector, training_time: timedelta
) -> Replay:
    """Replay, showing the scheduled run it is at."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeElapsedColumn(),
    )
    started = time.perf_counter()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the local AWS", total=None)

        def show(run: ScheduledRun, number: int, count: int) -> None:
            progress.update(
                task, description=f"{run.kind} of {run.at:%Y-%m-%d}", completed=number, total=count
            )

        result = replay(series, detector, training_time, show)
    seconds = time.perf_counter() - started
    console.print(f"{_runs(result)}, through the real state machines, in {seconds:.1f} s.")
    return result


def present(
    console: Console,
    series: MetricSeries,
    detector: Detector,
    result: Replay,
    page: Path,
    planted: Planted = (),
) -> None:
    """Print the events found (against the anomalies planted, if any were) and write the page."""
    report = _report_of(series, detector, result, planted)
    for run, outcome in result.outcomes:
        if outcome.status not in ("TRAINED", "PUBLISHED"):
            console.print(f"{run.kind} of {run.at:%Y-%m-%d %H:%M}: {outcome.message}")
    console.print(table(report))
    if planted:
        console.print(planted_table(report))
    subtitle = f"{_runs(result)}, through the real state machines on the local AWS"
    write_page(Page(f"{detector.name}: replay", subtitle, [report], datetime.now(UTC)), page)
    console.print(f"Report: {page}")


def _report_of(
    series: MetricSeries, detector: Detector, result: Replay, planted: Planted
) -> DetectorReport:
    return DetectorReport(
        detector=detector.name,
        title=detector.metric_label,
        start=series.start,
        period_seconds=series.period_seconds,
        values=series.values,
        scores=result.scores.tolist(),
        anomalies=result.anomalies,
        events=result.events,
        cutoffs=result.cutoffs,
        usual=result.usual,
        trained_until=result.trained_until,
        planted=planted,
        time_zone=detector.time_zone,
        facts=[("Trained", count(len(result.trained_until), "time"))],
    )


def _runs(result: Replay) -> str:
    counts = Counter(run.kind for run, _ in result.outcomes)
    datapoints = sum(
        outcome.datapoints for run, outcome in result.outcomes if run.kind == "transform"
    )
    return (
        f"{count(counts['training'], 'training')} and {count(counts['transform'], 'transform')} over "
        f"{count(datapoints, 'datapoint')}"
    )


def present_backtests(
    console: Console,
    backtests: Iterable[FileBacktest],
    count_of_files: int,
    output: Path,
    *,
    report: bool,
) -> list[FileBacktest]:
    """Show progress, then a row per file: its events a week at each sensitivity; then write the page."""
    started = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    done = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("backtesting", total=count_of_files)
        for one in backtests:
            done.append(one)
            progress.update(task, description=one.path.name, advance=1)
    done.sort(key=lambda one: one.name)
    console.print(_backtest_table(done))
    write_summary(done, output / "summary.json")
    seconds = time.perf_counter() - started
    console.print(f"{count(len(done), 'file')} in {seconds:.1f} s; results: {output}")
    if report:
        _write_backtests(console, done, output / "report.html")
    return done


def _write_backtests(console: Console, done: Sequence[FileBacktest], page: Path) -> None:
    """The worst of them: a page with hundreds of metrics is no longer read."""
    reports = worst_first([report_of(one) for one in done])
    left_out = len(reports) - MOST_DETECTORS
    notes = (
        [f"{count(left_out, 'more file')}, with lesser events, left out"] if left_out > 0 else []
    )
    shown = reports[:MOST_DETECTORS]
    subtitle = f"{count(len(done), 'file')}: what would have been raised"
    write_page(Page("Backtest", subtitle, shown, datetime.now(UTC), notes), page)
    console.print(f"{verdict(shown)}\nReport: {page}", markup=False)


def _backtest_table(done: Sequence[FileBacktest]) -> Table:
    rows = Table(title="Events a week, by sensitivity", title_justify="left", box=None)
    rows.add_column("Metric", no_wrap=True, max_width=44)
    for heading in ("weeks", "events", *SENSITIVITIES):
        rows.add_column(heading, justify="right")
    for one in done:
        weeks = max(one.result.weeks, 1e-9)
        rates = [f"{one.result.events_by_sensitivity[s] / weeks:.1f}" for s in SENSITIVITIES]
        rows.add_row(one.path.stem, f"{weeks:.1f}", str(len(one.result.events)), *rates)
    return rows
