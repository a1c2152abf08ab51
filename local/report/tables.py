"""The tables of a report: its events, and what was found of what was planted."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from rich.markup import escape
from rich.table import Table

from local.report.detector_report import DetectorReport, Event, events, gravity
from local.report.wording import count, moment_in_words, number_in_words, span_in_words

MOST_EVENTS = 20
TOLERANCE = timedelta(minutes=30)


@dataclass(frozen=True)
class PlantedOutcome:
    """Whether a planted anomaly was found; the delay is from its start to the first hit."""

    kind: str
    start: datetime
    end: datetime
    first_hit: datetime | None

    @property
    def delay(self) -> timedelta | None:
        return None if self.first_hit is None else self.first_hit - self.start


def table(report: DetectorReport, most: int = MOST_EVENTS) -> Table:
    """One row an event, numbered as in the picture; of many events only the gravest."""
    all_events = events(report)
    shown = sorted(all_events, key=gravity, reverse=True)[:most]
    anomalous = count(int(report.anomalous.sum()), "anomalous datapoint")
    rows = _table(f"{count(len(all_events), 'event')}, {anomalous} ({report.time_zone})")
    for heading in ("#", "Begins", "Lasts", "Peak score", "x cutoff", "Value at peak"):
        rows.add_column(heading, justify="left" if heading == "Begins" else "right", no_wrap=True)
    for event in sorted(shown, key=lambda event: event.number):
        rows.add_row(*_event_cells(event, report))
    if left_out := len(all_events) - len(shown):
        rows.caption = f"{count(left_out, 'lesser event')} not shown"
    return rows


def planted_table(report: DetectorReport, tolerance: timedelta = TOLERANCE) -> Table:
    """One row a planted anomaly: whether it was found, and how long that took."""
    outcomes = found(report, tolerance)
    hits = sum(outcome.first_hit is not None for outcome in outcomes)
    others = count(len(_unplanted(report, tolerance)), "other event")
    rows = _table(f"{hits} of {len(outcomes)} planted anomalies found, {others}")
    for heading in ("Planted", "Begins", "Lasts", "Found", "Delay"):
        rows.add_column(
            heading, justify="right" if heading in ("Lasts", "Delay") else "left", no_wrap=True
        )
    for outcome in outcomes:
        rows.add_row(
            escape(outcome.kind),
            moment_in_words(outcome.start, report.zone),
            span_in_words(outcome.end - outcome.start),
            *_outcome_cells(outcome),
        )
    return rows


def found(report: DetectorReport, tolerance: timedelta = TOLERANCE) -> list[PlantedOutcome]:
    """For each planted anomaly the first anomalous datapoint in it, else the nearest around it."""
    hits = [report.timestamps[position] for position in np.flatnonzero(report.anomalous).tolist()]
    return [
        PlantedOutcome(kind, start, end, _first_hit(hits, start, end, tolerance))
        for start, end, kind in report.planted
    ]


def _first_hit(
    hits: list[datetime], start: datetime, end: datetime, tolerance: timedelta
) -> datetime | None:
    def distance(hit: datetime) -> timedelta:
        return max(start - hit, hit - end, timedelta(0))

    near = [hit for hit in hits if distance(hit) <= tolerance]
    return min(near, key=distance, default=None)


def _unplanted(report: DetectorReport, tolerance: timedelta) -> list[Event]:
    return [
        event
        for event in events(report)
        if not any(
            event.start < end + tolerance and start - tolerance < event.end
            for start, end, _ in report.planted
        )
    ]


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        header_style="dim",
        box=None,
    )


def _event_cells(event: Event, report: DetectorReport) -> tuple[str, ...]:
    ratio = "–" if math.isnan(event.severity) else f"{event.severity:.2f}"
    return (
        str(event.number),
        moment_in_words(event.start, report.zone),
        span_in_words(event.duration),
        "–" if math.isnan(event.peak_score) else f"{event.peak_score:,.3f}",
        ratio,
        number_in_words(event.value),
    )


def _outcome_cells(outcome: PlantedOutcome) -> tuple[str, str]:
    if outcome.delay is None:
        return "[bold red]no[/]", "–"
    early = outcome.delay < timedelta(0)
    return "[green]yes[/]", span_in_words(abs(outcome.delay)) + (" early" if early else "")
