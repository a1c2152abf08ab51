"""Output of backtests: progress, a table of weekly events, and the report page."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from cutwatch.wording import count
from cutwatch_cli.backtest.files import FileBacktest, report_of, write_summary
from cutwatch_cli.backtest.simulation import SENSITIVITIES
from cutwatch_cli.report import MOST_DETECTORS, Page, verdict, worst_first, write_page


def present_backtests(
    console: Console,
    backtests: Iterable[FileBacktest],
    count_of_files: int,
    output: Path,
    *,
    report: bool,
) -> list[FileBacktest]:
    """Show progress, print one row per file with its weekly events at each sensitivity, and write the page."""
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
    for one in done:
        if one.result.remark:
            console.print(f"{one.name}: {one.result.remark}", markup=False)
    write_summary(done, output / "summary.json")
    seconds = time.perf_counter() - started
    console.print(f"{count(len(done), 'file')} in {seconds:.1f} s; results: {output}")
    if report:
        _write_backtests(console, done, output / "report.html")
    return done


def _write_backtests(console: Console, done: Sequence[FileBacktest], page: Path) -> None:
    """Write the page with the worst files only: nobody reads hundreds of charts."""
    reports = worst_first([report_of(one) for one in done])
    left_out = len(reports) - MOST_DETECTORS
    notes = [f"{count(left_out, 'file')} with less severe events left out"] if left_out > 0 else []
    notes += [f"{one.name}: {one.result.remark}" for one in done if one.result.remark]
    shown = reports[:MOST_DETECTORS]
    subtitle = f"{count(len(done), 'file')}: simulated schedules"
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
