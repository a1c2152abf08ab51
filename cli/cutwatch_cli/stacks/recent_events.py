"""Events as tables and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from cutwatch.registry.event_record import RecordedEvent
from cutwatch.wording import expected_in_words, number_in_words, span_in_words


def event_payload(recorded: RecordedEvent) -> dict[str, Any]:
    """Return an event as JSON values."""
    event = recorded.event
    return {
        "detector": recorded.detector,
        "severity_word": event.severity_word,
        **asdict(event),
        "run": recorded.run,
    }


def events_table(events: Sequence[RecordedEvent]) -> Table:
    """Return a row for each event."""
    table = Table(box=None, pad_edge=False)
    for heading in ("Begins (UTC)", "Detector"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Lasts", "Severity", "x cutoff", "Value"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Expected", no_wrap=True)
    for each in events:
        table.add_row(*_cells(each))
    return table


def _cells(each: RecordedEvent) -> list[str]:
    event, lasts = each.event, each.ends - each.begins
    return [
        f"{each.begins:%Y-%m-%d %H:%M}",
        each.detector,
        span_in_words(lasts) if lasts else "1 datapoint",
        event.severity_word,
        "–" if event.severity is None else f"{event.severity:.1f}",
        number_in_words(event.value),
        expected_in_words(event),
    ]
