"""A table's demo in the terminal."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from cutwatch.streams.incidents import Incident
from cutwatch.wording import count, number_in_words, severity_multiple
from cutwatch_cli.streams.demo_measurements import counts_table, speed_lines
from cutwatch_cli.tables.demo_outcome import TableDemo

# Of the table of incidents; a narrower terminal wraps its lines.
_WIDTH = 150


def present(console: Console, demo: TableDemo) -> None:
    """Print planted and found incidents, the changes by outcome, and the models that scored them."""
    console.width = max(console.width, _WIDTH)
    if demo.planted:
        console.print(_planted_table(demo))
    for other in demo.others:
        console.print(f"{'not planted: ' if demo.planted else ''}{_line(other.incident)}")
    console.print(
        f"\nPlanted {len(demo.planted)}, found {len(demo.found)}, other incidents {len(demo.others)}."
    )
    console.print("During the run, " + "; ".join(demo.faults) + ".\n")
    console.print(_changes_table(demo))
    for model, number in demo.scored_by.items():
        console.print(f"{count(number, 'row')} scored by {model}, with its own cutoff")
    speed = speed_lines(demo.latencies, demo.sent, demo.seconds, begins="write", noun="change")
    console.print("\n".join(speed))


def _planted_table(demo: TableDemo) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in (
        "Planted (UTC)",
        "Incident",
        "Found",
        "x cutoff",
        "Column",
        "Value",
        "Usual",
    ):
        table.add_column(heading, no_wrap=True)
    for number, planted in enumerate(demo.planted):
        found = demo.found.get(number)
        cells = _cells(found.incident) if found else ("not found", "", "", "", "")
        table.add_row(
            f"{planted.begin:%Y-%m-%d %H:%M} to {planted.end:%H:%M}", planted.kind, *cells
        )
    return table


def _cells(incident: Incident) -> tuple[str, ...]:
    leading = max(incident.columns, key=lambda each: each.attribution)
    expected = leading.expected
    return (
        f"{datetime.fromtimestamp(incident.begin_time, UTC):%H:%M}, {incident.severity_word}",
        severity_multiple(incident.severity),
        leading.column,
        number_in_words(leading.value),
        f"{number_in_words(expected.low)} to {number_in_words(expected.high)}" if expected else "",
    )


def _line(incident: Incident) -> str:
    begin = datetime.fromtimestamp(incident.begin_time, UTC)
    values = ", ".join(f"{each.column} {number_in_words(each.value)}" for each in incident.columns)
    return f"{begin:%Y-%m-%d %H:%M} {incident.severity_word}, {severity_multiple(incident.severity)} times the cutoff: {values}"


def _changes_table(demo: TableDemo) -> Table:
    rows = (
        ("sent", demo.sent, ""),
        ("scored", demo.scored, ""),
        ("lost", demo.lost, ""),
        ("doubled", demo.doubled, "counted twice by an incident"),
        ("foreign cutoff", demo.foreign_cutoff, "with a score and a cutoff that are not of one model"),
        ("delivered again", demo.delivered_again, "scored rows that the target got twice, with equal ids"),
    )  # fmt: skip
    return counts_table("Changes", rows)
