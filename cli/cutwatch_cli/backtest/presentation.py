"""Output of backtests: progress, a table of weekly events, and the report page."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.wording import count
from cutwatch_cli.backtest.files import FileBacktest, UnreadFile, report_of, write_summary
from cutwatch_cli.backtest.simulation import SENSITIVITIES
from cutwatch_cli.report import (
    MOST_DETECTORS,
    Page,
    verdict,
    worst_first,
    write_page,
)
from cutwatch_cli.report.tables import EVENT_HEADINGS, MOST_EVENTS, add_event_columns, event_cells

_MOST_WITH_NOTES = 20


def present_backtests(
    console: Console,
    backtests: Iterable[FileBacktest | UnreadFile],
    count_of_files: int,
    output: Path,
    *,
    report: bool,
    noun: str = "file",
) -> tuple[list[FileBacktest], list[UnreadFile]]:
    """Show progress, print one row per metric with its weekly events at each sensitivity, and write the page.

    Returns the files that were scored, and those that were not.
    """
    started = time.perf_counter()
    done, unread = _collect(console, backtests, count_of_files)
    write_summary([*done, *unread], output / "summary.json")
    if not done:
        return done, unread
    console.print(_backtest_table(done))
    _print_notes(console, done)
    seconds = time.perf_counter() - started
    console.print(f"{count(len(done), noun)} in {seconds:.1f} s; results: {output}", markup=False)
    if report:
        _write_backtests(console, done, unread, output / "report.html", noun)
    return done, unread


def _collect(
    console: Console, backtests: Iterable[FileBacktest | UnreadFile], count_of_files: int
) -> tuple[list[FileBacktest], list[UnreadFile]]:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    done: list[FileBacktest] = []
    unread: list[UnreadFile] = []
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("backtesting", total=count_of_files)
        for one in backtests:
            if isinstance(one, FileBacktest):
                done.append(one)
            else:
                unread.append(one)
            progress.update(task, advance=1)
    return sorted(done, key=lambda one: one.input.results), sorted(unread, key=lambda one: one.path)


def _print_notes(console: Console, done: Sequence[FileBacktest]) -> None:
    """Print what reading made of each file; notes that all files share are printed once."""
    shared = [note for note in done[0].notes if all(note in one.notes for one in done)]
    for note in shared:
        console.print(note, markup=False)
    for one in done[:_MOST_WITH_NOTES]:
        if own := [note for note in one.notes if note not in shared]:
            console.print(f"{one.input.label}: {' '.join(own)}", markup=False)
    if len(done) > _MOST_WITH_NOTES:
        console.print("The notes on all files are in summary.json.")


def _write_backtests(
    console: Console,
    done: Sequence[FileBacktest],
    unread: Sequence[UnreadFile],
    page: Path,
    noun: str,
) -> None:
    """Write the page with the worst metrics only: nobody reads hundreds of charts."""
    reports = worst_first([report_of(one) for one in done])
    left_out = len(reports) - MOST_DETECTORS
    notes = [f"{count(left_out, noun)} with less severe events left out"] if left_out > 0 else []
    notes += [f"Not backtested: {one.reason}" for one in unread]
    shown = reports[:MOST_DETECTORS]
    subtitle = f"{count(len(done), noun)}: simulated schedules"
    write_page(Page("Backtest", subtitle, shown, datetime.now(UTC), notes), page)
    console.print(f"{verdict(shown)}\nReport: {page}", markup=False)


def _backtest_table(done: Sequence[FileBacktest]) -> Table:
    rows = Table(title="Events a week, by sensitivity", title_justify="left", box=None)
    rows.add_column("Metric", no_wrap=True, max_width=44, overflow="ellipsis")
    for heading in ("weeks", "events", *SENSITIVITIES):
        rows.add_column(heading, justify="right")
    for one in done:
        weeks = max(one.result.weeks, 1e-9)
        rates = [f"{one.result.events_by_sensitivity[s] / weeks:.1f}" for s in SENSITIVITIES]
        rows.add_row(Text(one.input.label), f"{weeks:.1f}", str(len(one.result.events)), *rates)
    return rows


def present_events(console: Console, done: Sequence[FileBacktest]) -> None:
    """Print a table per metric: each event, and the lowest sensitivity that would have reported it."""
    for one in done:
        console.print(_events_table(one))


def _events_table(one: FileBacktest) -> Table:
    report, own = report_of(one), one.detector.sensitivity
    found = one.result.events_at
    every = _distinct(e for name in (own, *SENSITIVITIES) for e in found[name])
    worst = sorted(every, key=lambda event: event.comparable_severity, reverse=True)[:MOST_EVENTS]
    counts = ", ".join(f"{len(found[name])} at {name}" for name in SENSITIVITIES)
    rows = _titled(f"\n{one.detector.name} ({report.time_zone}), events by sensitivity: {counts}")
    add_event_columns(rows, *EVENT_HEADINGS, "At")
    for event in sorted(worst, key=lambda event: event.start):
        reporting = (name for name in SENSITIVITIES if _overlaps(event, found[name]))
        rows.add_row(*event_cells(event, report), next(reporting))
    hidden = len(every) - len(worst)
    more = f"; {count(hidden, 'less severe event')} not shown" if hidden else ""
    rows.caption = (
        f"At: the lowest sensitivity that reports the event; this detector has {own}{more}"
    )
    return rows


def _titled(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", caption_justify="left", box=None
    )


def _distinct(events: Iterable[AnomalyEvent]) -> list[AnomalyEvent]:
    """Return the first of each group of events that overlap."""
    found: list[AnomalyEvent] = []
    for event in events:
        if not _overlaps(event, found):
            found.append(event)
    return found


def _overlaps(event: AnomalyEvent, others: Iterable[AnomalyEvent]) -> bool:
    return any(event.begins < other.ends and other.begins < event.ends for other in others)
