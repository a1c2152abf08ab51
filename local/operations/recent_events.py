"""Events out of the outcomes of transforms, and their table."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from rich.table import Table

from cutwatch.moments import parse_moment
from cutwatch.outcomes import AnomalyEvent
from local.operations.durations import span_in_words
from local.operations.run_history import Ending


@dataclass(frozen=True)
class RecentEvent:
    """An event of a detector."""

    detector: str
    event: AnomalyEvent

    @property
    def begins(self) -> datetime:
        """Its first datapoint."""
        return parse_moment(self.event.start)

    @property
    def lasts(self) -> timedelta:
        """From its first datapoint to its last."""
        return parse_moment(self.event.end) - self.begins

    def to_payload(self) -> dict[str, Any]:
        """For another program."""
        word = self.event.severity_word
        return {"detector": self.detector, "severity_word": word, **asdict(self.event)}


def recent_events(
    ended: Iterable[Ending], detectors: Sequence[str], since: datetime
) -> tuple[list[RecentEvent], int]:
    """Those that were still there since then, newest first; and how many outcomes had no room for."""
    wanted = [o for _, o in ended if not detectors or o.detector in detectors]
    found = [
        RecentEvent(outcome.detector, event)
        for outcome in wanted
        for event in outcome.events
        if parse_moment(event.end) >= since
    ]
    left_out = sum(outcome.new_events - len(outcome.events) for outcome in wanted)
    return sorted(found, key=lambda each: (each.begins, each.detector), reverse=True), left_out


def events_table(events: Sequence[RecentEvent]) -> Table:
    """A row for each event."""
    table = Table(box=None, pad_edge=False)
    for heading in ("Begins (UTC)", "Detector"):
        table.add_column(heading, no_wrap=True)
    for heading in ("Lasts", "Severity", "x cutoff", "Value"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Expected", no_wrap=True)
    for each in events:
        table.add_row(*_cells(each))
    return table


def _cells(each: RecentEvent) -> list[str]:
    event = each.event
    return [
        f"{each.begins:%Y-%m-%d %H:%M}",
        each.detector,
        span_in_words(each.lasts) if each.lasts else "1 datapoint",
        event.severity_word,
        "–" if event.severity is None else f"{event.severity:.1f}",
        _number(event.value),
        _expected(event),
    ]


def _expected(event: AnomalyEvent) -> str:
    if event.severity is None:
        return "data; there is none"
    if event.expected is None:
        return "–"
    return f"{_number(event.expected)} ({_number(event.expected_low)} to {_number(event.expected_high)})"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.6g}"
