"""A stream's demo in the terminal."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.streams.incidents import Incident
from cutwatch.wording import number_in_words, severity_multiple, span_in_words
from cutwatch_cli.streams.demo_measurements import counts_table, speed_lines
from cutwatch_cli.streams.kinesis_demo import StreamDemo

Show = Callable[[str, int, int], None]
Outcome = TypeVar("Outcome")


def with_progress(console: Console, run: Callable[[Show], Outcome]) -> Outcome:
    """Run a demo, showing its progress."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("starting the local AWS", total=None)
        return run(
            lambda text, done, every: progress.update(
                task, description=text, completed=done, total=every
            )
        )


def present(console: Console, demo: StreamDemo) -> None:
    """Print the planted incidents with those found, and the records by outcome."""
    console.print(_incidents_table(demo))
    for other in demo.others:
        console.print(f"not planted: {_incident_line(other)}")
    console.print(
        f"\nPlanted {len(demo.planted)}, found {len(demo.found)}, other incidents {len(demo.others)}.\n"
    )
    console.print("During the run, " + "; ".join(demo.faults) + ".\n")
    console.print(_records_table(demo))
    console.print()
    speed = speed_lines(demo.latencies, demo.sent, demo.seconds, begins="record", noun="record")
    console.print("\n".join(speed))


def _incidents_table(demo: StreamDemo) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Planted (UTC)", "Key"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Incident")
    table.add_column("Found", no_wrap=True)
    table.add_column("x cutoff", justify="right", no_wrap=True)
    table.add_column("Column", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Expected", no_wrap=True)
    for number, planted in enumerate(demo.planted):
        found = demo.found.get(number)
        cells = _found_cells(found.incident) if found else ["not found", "", "", "", ""]
        table.add_row(f"{planted.begin:%H:%M:%S}–{planted.end:%H:%M}", planted.key, planted.kind, *cells)  # fmt: skip
    return table


def _found_cells(incident: Incident) -> list[str]:
    leading = max(incident.columns, key=lambda each: each.attribution)
    expected = leading.expected
    return [
        f"{datetime.fromtimestamp(incident.begin_time, UTC):%H:%M:%S}",
        f"{severity_multiple(incident.severity)}, {incident.severity_word}",
        leading.column,
        number_in_words(leading.value),
        "–"
        if expected is None
        else f"{number_in_words(expected.low)} to {number_in_words(expected.high)}",
    ]


def _incident_line(recorded: RecordedIncident) -> str:
    incident = recorded.incident
    begin = datetime.fromtimestamp(incident.begin_time, UTC)
    lasts = span_in_words(timedelta(seconds=incident.last_time - incident.begin_time))
    return f"{begin:%H:%M:%S} {incident.key}, {incident.severity_word}, {lasts}"


def _records_table(demo: StreamDemo) -> Table:
    rows = (
        ("sent", demo.sent, ""),
        ("scored", demo.scored, ""),
        ("late", demo.late, ""),
        ("rejected", demo.rejected, "not JSON; kept in the queue of rejected records"),
        ("lost", demo.lost, ""),
        ("doubled", demo.doubled, "applied twice, or scored twice with two results"),
        ("delivered again", demo.delivered_again, "scored rows that the target got twice, with equal ids and scores"),
    )  # fmt: skip
    return counts_table("Records", rows)
