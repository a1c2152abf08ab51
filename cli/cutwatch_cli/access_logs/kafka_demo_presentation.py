"""The demo of a Kafka topic in the terminal."""

from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from cutwatch.delivery.incident_store import RecordedIncident
from cutwatch.wording import count, severity_multiple
from cutwatch_cli.access_logs.kafka_outcome import KafkaDemo
from cutwatch_cli.streams.demo_measurements import counts_table, speed_lines

# Of the table of incidents; a narrower terminal wraps its lines.
_WIDTH = 150


def present(console: Console, demo: KafkaDemo) -> None:
    """Print the planted faults with the incidents of each, the records by outcome, the alarm and the reports."""
    console.width = max(console.width, _WIDTH)
    console.print(_planted_table(demo))
    for other in demo.others:
        console.print(f"not planted: {_described(other)}")
    console.print(
        f"\nPlanted {len(demo.planted)}, found {len(demo.found)}, other incidents {len(demo.others)}."
    )
    console.print("During the run, " + "; ".join(demo.faults) + ".\n")
    console.print(_records_table(demo))
    console.print(f"\nThe alarm on anomalies: {_alarm(demo)}. {count(demo.reports, 'hourly report')} written.")  # fmt: skip
    speed = speed_lines(demo.latencies, demo.sent, demo.seconds, begins="writing", noun="record")
    console.print("\n".join(speed))


def _planted_table(demo: KafkaDemo) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("Planted (UTC)", "Fault", "Found by", "At", "x cutoff"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Reason")
    for number, planted in enumerate(demo.planted):
        span, kind = f"{_time(planted.start)} to {_time(planted.end)}", str(planted.kind)
        for each in demo.found.get(number, []):
            table.add_row(span, kind, *_cells(each))
            span = kind = ""
        if number not in demo.found:
            table.add_row(span, kind, "not found", "", "", "")
    return table


def _cells(found: RecordedIncident) -> tuple[str, ...]:
    incident = found.incident
    leading = max(incident.columns, key=lambda each: each.attribution)
    reason = next(iter(incident.reasons), f"{leading.column} {leading.direction} what is expected")
    at = f"{_time(incident.begin_time, '%H:%M:%S')}, {incident.severity_word}"
    return found.stream, at, severity_multiple(incident.severity), reason


def _described(found: RecordedIncident) -> str:
    stream, at, multiple, reason = _cells(found)
    return f"{stream} {at}, {multiple} times the cutoff: {reason}"


def _time(seconds: float, form: str = "%H:%M") -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):{form}}"


def _alarm(demo: KafkaDemo) -> str:
    if not demo.alarms:
        return "not raised"
    return f"raised {count(demo.alarms, 'time')}, mailed {count(demo.alarm_mails, 'time')}"


def _records_table(demo: KafkaDemo) -> Table:
    rows = (
        ("sent", demo.sent, ""),
        ("scored", demo.scored, "by both models"),
        ("late", demo.total("late"), ""),
        ("rejected", demo.total("rejected"), "not log records; kept in the queues of rejected records"),
        ("lost", demo.lost, "neither in the states nor in a report"),
        ("doubled", demo.doubled, "applied or reported twice"),
    )  # fmt: skip
    return counts_table("Records", rows)
