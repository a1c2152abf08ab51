"""Events as tables and as JSON."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from rich.table import Table

from cutwatch.registry.event_record import RecordedEvent
from cutwatch.wording import (
    end_in_words,
    expected_in_words,
    multiple_in_words,
    span_in_words,
    time_in_words,
    value_in_words,
)


def event_payload(recorded: RecordedEvent) -> dict[str, Any]:
    """Return an event as JSON values, with the names that its EventBridge event has."""
    return {"detector": recorded.detector, **recorded.event.to_json(), "run": recorded.run}


def events_table(events: Sequence[RecordedEvent]) -> Table:
    """Return a row for each event."""
    table = Table(box=None, pad_edge=False)
    for heading in ("Begins (UTC)", "Ends", "Detector"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Lasts", "Severity", "x cutoff", "Value"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Expected", no_wrap=True)
    for each in events:
        table.add_row(*_cells(each))
    return table


def _cells(each: RecordedEvent) -> list[str]:
    event = each.event
    return [
        time_in_words(event.begins, UTC),
        end_in_words(event, UTC),
        each.detector,
        span_in_words(event.lasts),
        event.severity_word,
        multiple_in_words(event),
        value_in_words(event),
        expected_in_words(event),
    ]
