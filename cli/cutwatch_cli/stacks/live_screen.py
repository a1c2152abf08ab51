"""The screen of `cutwatch watch`."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cutwatch.registry.event_record import RecordedEvent
from cutwatch.wording import count, severity_in_words, span_in_words
from cutwatch_cli.stacks.live_detectors import LiveDetector, severity_now, value_now

_SHOWN_EVENTS = 10
# Heading, blank lines, the headings of both tables and the line about detectors that are left out.
_OTHER_LINES = 8
_FEWEST = 3


def live_screen(
    stack: str,
    now: datetime,
    found: Mapping[str, LiveDetector],
    events: Sequence[RecordedEvent],
    lines: int | None,
) -> RenderableType:
    """Return a table of detectors, those with an incident or a problem first, and one of the newest incidents.

    Detectors that do not fit into `lines` are counted.
    """
    lasting = sum(each.incident is not None for each in found.values())
    head = f"{stack}, {now:%Y-%m-%d %H:%M:%S} UTC: {count(len(found), 'live detector')}, {count(lasting, 'incident')} now"
    events = events[:_SHOWN_EVENTS]
    ordered = sorted(found.values(), key=lambda each: (*_calm(each, now), each.name))
    room = len(ordered) if lines is None else max(lines - _OTHER_LINES - len(events), _FEWEST)
    shown: list[RenderableType] = [Text(head), Text(), _detectors(ordered[:room], now)]
    if len(ordered) > room:
        shown.append(Text(f"and {count(len(ordered) - room, 'more detector')}: cutwatch status"))
    return Group(*shown, Text(), _incidents(events, found))


def _calm(detector: LiveDetector, now: datetime) -> tuple[bool, bool]:
    return detector.incident is None, detector.why_late(now) is None


def _detectors(shown: Sequence[LiveDetector], now: datetime) -> Table:
    table = _table(None, "Detector", "Incident", "Severity", "Value", "Through")
    for each in shown:
        through = f"{span_in_words(now - each.through)} ago" if each.through else "waiting"
        incident = each.incident
        lasts = f"{incident.severity_word} since {incident.begins:%m-%d %H:%M}" if incident else "–"
        table.add_row(
            each.name,
            each.why_late(now) or lasts,
            severity_now(each.newest),
            value_now(each.newest),
            through,
            style="red" if incident or each.problem else None,
        )
    return table


def _incidents(
    events: Sequence[RecordedEvent], found: Mapping[str, LiveDetector]
) -> RenderableType:
    if not events:
        return Text("No incidents in the last day.")
    table = _table("Incidents of the last day", "Detector", "From", "Lasts", "Severity")
    for each in events:
        live = found[each.detector].incident
        lasts = "now" if live and live.id == each.event.id else span_in_words(each.event.lasts)
        table.add_row(
            each.detector, f"{each.event.begins:%m-%d %H:%M}", lasts, severity_in_words(each.event)
        )
    return table


def _table(title: str | None, detector: str, *others: str) -> Table:
    """Return a table that cuts long names, and on narrow terminals its last columns."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False)
    table.add_column(detector, no_wrap=True, max_width=40, min_width=12)
    for heading in others:
        table.add_column(heading, no_wrap=True)
    return table
