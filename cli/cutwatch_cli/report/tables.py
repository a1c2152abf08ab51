"""Tables of a report for the terminal: its events, and planted anomalies."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from rich.markup import escape
from rich.table import Table

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.wording import (
    count,
    expected_in_words,
    multiple_in_words,
    span_in_words,
    time_in_words,
    value_in_words,
)
from cutwatch_cli.report.detector_report import DetectorReport, severity_rank

MOST_EVENTS = 20
EVENT_HEADINGS = ("Begins", "Lasts", "Severity", "x cutoff", "Value", "Expected")
TOLERANCE = timedelta(minutes=30)


@dataclass(frozen=True)
class PlantedOutcome:
    """A planted anomaly and its first detection, if any."""

    kind: str
    start: datetime
    end: datetime
    first_hit: datetime | None

    @property
    def delay(self) -> timedelta | None:
        return None if self.first_hit is None else self.first_hit - self.start

    @property
    def delay_in_words(self) -> str:
        """Time from the anomaly's start to its first anomalous datapoint; a dash if it was not found."""
        if self.delay is None:
            return "–"
        return span_in_words(abs(self.delay)) + (" early" if self.delay < timedelta(0) else "")


def table(report: DetectorReport, most: int = MOST_EVENTS) -> Table:
    """Return one row per event, numbered as on the page; of many events, only the most severe."""
    numbered = list(enumerate(report.events, start=1))
    shown = sorted(numbered, key=lambda each: severity_rank(each[1]), reverse=True)[:most]
    rows = _table(f"{summary(report)} ({report.time_zone})")
    add_event_columns(rows, "#", *EVENT_HEADINGS)
    for number, event in sorted(shown, key=lambda each: each[0]):
        rows.add_row(str(number), *event_cells(event, report))
    if left_out := len(numbered) - len(shown):
        rows.caption = f"{count(left_out, 'less severe event')} not shown"
    return rows


def add_event_columns(rows: Table, *headings: str) -> None:
    """Add a column for each heading; in a narrow terminal only the expected range wraps."""
    for heading in headings:
        is_text = heading in ("Begins", "Expected")
        rows.add_column(
            heading, justify="left" if is_text else "right", no_wrap=heading != "Expected"
        )


def summary(report: DetectorReport) -> str:
    """Return `9 events, 202 anomalous datapoints`."""
    anomalous = count(int(report.anomalous.sum()), "anomalous datapoint")
    return f"{count(len(report.events), report.words.event)}, {anomalous}"


def event_cells(event: AnomalyEvent, report: DetectorReport) -> tuple[str, ...]:
    """Return begin, duration, severity, multiple of the cutoff, value and expected value."""
    return (
        time_in_words(event.begins, report.zone),
        span_in_words(event.lasts),
        event.severity_word,
        multiple_in_words(event),
        value_in_words(event),
        expected_in_words(event),
    )


def planted_table(report: DetectorReport, tolerance: timedelta = TOLERANCE) -> Table:
    """Return one row per planted anomaly, with its detection delay."""
    rows = _table(planted_summary(report, tolerance))
    for heading in ("Planted", "Begins", "Lasts", "Found", "Begins late by"):
        rows.add_column(
            heading,
            justify="right" if heading in ("Lasts", "Begins late by") else "left",
            no_wrap=True,
        )
    for outcome in found(report, tolerance):
        rows.add_row(
            escape(outcome.kind),
            time_in_words(outcome.start, report.zone),
            span_in_words(outcome.end - outcome.start),
            "[green]yes[/]" if outcome.first_hit else "[bold red]no[/]",
            outcome.delay_in_words,
        )
    return rows


def planted_summary(report: DetectorReport, tolerance: timedelta = TOLERANCE) -> str:
    """Return `5 of 6 planted anomalies found, 2 other events`."""
    outcomes = found(report, tolerance)
    hits = sum(outcome.first_hit is not None for outcome in outcomes)
    others = count(len(_unplanted(report, tolerance)), "other event")
    return f"{hits} of {len(outcomes)} planted anomalies found, {others}"


def found(report: DetectorReport, tolerance: timedelta = TOLERANCE) -> list[PlantedOutcome]:
    """Find the first anomalous datapoint in each planted anomaly, else the nearest one around it."""
    hits = [report.timestamp(position) for position in np.flatnonzero(report.anomalous).tolist()]
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


def _unplanted(report: DetectorReport, tolerance: timedelta) -> list[AnomalyEvent]:
    def is_planted(begins: datetime, ends: datetime) -> bool:
        return any(
            begins < end + tolerance and start - tolerance < ends
            for start, end, _ in report.planted
        )

    return [event for event in report.events if not is_planted(event.begins, event.ends)]


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        caption_justify="left",
        header_style="dim",
        box=None,
    )
