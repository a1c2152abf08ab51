"""One event, one wording: every place that shows an event gives the same begin, end, duration, severity and values."""

import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cutwatch.detection.anomalies import WindowAnomalies
from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent, event_id
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detectors.detector import Detector
from cutwatch.notifications.eventbridge import entries
from cutwatch.notifications.messages import of_anomalies
from cutwatch.publishing.window_outcome import window_outcome
from cutwatch.registry.event_record import RecordedEvent, incidents
from cutwatch.registry.outcome import Outcome
from cutwatch.runs.summary import Summary
from cutwatch.timestamps import format_timestamp, parse_timestamp
from cutwatch.widget.event_table import EventTable
from cutwatch.widget.request import WidgetRequest
from cutwatch.wording import expected_in_words, span_in_words, value_in_words
from cutwatch_cli.report import Page
from cutwatch_cli.report.report_page import render
from cutwatch_cli.stacks.recent_events import event_payload, events_table
from tests.support.builders import NOON, a_detector, a_run
from tests.support.sample_reports import report_of
from tests.unit.cutwatch.notifications.test_messages import PLACE

RUN = "transform-20261102T120000Z"
DAY = timedelta(days=1)
PERIODS = (60, 300, 3_600, 86_400)
# The longest stretches that a window of a week has, in datapoints; and pauses that stay within an incident.
LENGTHS = st.integers(1, 400)
numbers = st.none() | st.floats(-1e15, 1e15, allow_nan=False)


@dataclass(frozen=True)
class Facts:
    """An event as a reader knows it, from one place. Times are UTC, texts as they are written."""

    begins: datetime
    ends: datetime
    lasts: str
    severity: str
    multiple: str
    value: str
    expected: str


@st.composite
def stretches(draw: st.DrawFn) -> tuple[Detector, list[AnomalyEvent]]:
    """The stretches of one incident in one window: each begins within half an hour of the end of the one before."""
    detector = a_detector(period=draw(st.sampled_from(PERIODS)), time_zone="Asia/Kolkata")
    pause = max(1_800, detector.period)
    at, parts = int(NOON.timestamp()) - 10 * 86_400, []
    at -= at % detector.period
    for length in draw(st.lists(LENGTHS, min_size=1, max_size=3)):
        parts.append(_stretch(draw, detector, at, length))
        last = at + (length - 1) * detector.period
        at = last + detector.period * draw(st.integers(1, pause // detector.period))
    return detector, parts


def _stretch(draw: st.DrawFn, detector: Detector, at: int, length: int) -> AnomalyEvent:
    first, last = (
        format_timestamp(NOON + timedelta(seconds=epoch - NOON.timestamp()))
        for epoch in (at, at + (length - 1) * detector.period)
    )
    severity = draw(st.none() | st.floats(1.0, 2_000.0, allow_nan=False))
    if severity is None:
        facts: dict[str, float | None] = {}
    else:
        names = ("value", "expected", "expected_low", "expected_high")
        facts = dict(zip(names, draw(st.tuples(*[numbers] * 4)), strict=True))
        if facts["value"] is None or facts["expected"] is None:
            facts = {}
    event = AnomalyEvent(
        event_id(detector.name, first), first, last, first, length, severity, severity
    )
    unit = draw(st.sampled_from((None, "Milliseconds", "Bytes", "Percent")))
    return replace(event, period_seconds=detector.period, unit=unit, **facts)  # type: ignore[arg-type]


def published(detector: Detector, events: Sequence[AnomalyEvent]) -> Outcome:
    """The outcome of the window that found the events, as the registry gives it back."""
    found = WindowAnomalies(
        np.array([0]), np.array([1]), np.ones(1), np.ones(1), tuple(events), 1.0
    )
    outcome = window_outcome(detector, 0, found, events, 0, timedelta(0))
    return Outcome.from_payload(json.loads(json.dumps(outcome.to_payload())))


def recorded(events: Sequence[AnomalyEvent]) -> list[RecordedEvent]:
    """The incidents of a detector's events, as the registry gives them back."""
    items = [RecordedEvent("orders", event, RUN).to_item() for event in events]
    return incidents(RecordedEvent.from_item(item) for item in items)


def of_mail(outcome: Outcome) -> Iterator[Facts]:
    text = of_anomalies(Summary(a_run(), [outcome]), [outcome], PLACE).text
    zone = ZoneInfo("Asia/Kolkata")
    for block in re.findall(r"  Time  .*?\n  Graph", text, re.DOTALL):
        time = re.search(
            r"Time +\w{3} (\S+ \S+) to ((?:\S+ )?\d\d:\d\d) Asia/Kolkata .*\), (.+)\n", block
        )
        severity = re.search(
            r"Severity  (\w+), (?:(\S+(?: [TGM])?) times the cutoff|no data)", block
        )
        value = re.search(r"Value     (.+); expected (.+?)(, [+-]\d+%)?\n", block)
        assert time
        assert severity
        begins = datetime.fromisoformat(time[1]).replace(tzinfo=zone)
        yield Facts(
            begins,
            end_of(begins, time[2]),
            time[3],
            severity[1],
            severity[2] or "–",
            value[1] if value else "–",
            value[2] if value else "–",
        )


def end_of(begins: datetime, text: str) -> datetime:
    """Read an end that has its date only if that is another one."""
    written = text if len(text) > len("00:00") else f"{begins:%Y-%m-%d} {text}"
    return datetime.fromisoformat(written).replace(tzinfo=begins.tzinfo)


def of_bus(outcome: Outcome) -> Iterator[Facts]:
    for entry in entries([outcome], PLACE, RUN, set()):
        yield of_payload(json.loads(entry["Detail"]))


def of_json(events: Sequence[RecordedEvent]) -> Iterator[Facts]:
    for each in events:
        yield of_payload(json.loads(json.dumps(event_payload(each))))


def of_payload(payload: dict[str, Any]) -> Facts:
    """The numbers of programs, in words."""
    numbers_of = ("value", "expected", "expected_low", "expected_high", "unit")
    event = AnomalyEvent("", "", "", "", 1, payload["times_cutoff"])
    event = replace(event, **{name: payload[name] for name in numbers_of})
    begins, ends = (parse_timestamp(str(payload[name])) for name in ("start", "end"))
    assert ends - begins == timedelta(seconds=payload["duration_seconds"])
    times = payload["times_cutoff"]
    return Facts(
        begins,
        ends,
        span_in_words(ends - begins),
        str(payload["severity"]),
        "–" if times is None else shortened(times),
        value_in_words(event),
        expected_in_words(event),
    )


def shortened(times: float) -> str:
    """Cut a multiple after its first decimal, as text."""
    if times >= 1_000:
        return f"{times:,.0f}"
    whole, _, decimals = f"{times:.25f}".partition(".")
    exact = repr(times).partition(".")[2]
    return f"{whole}.{(exact if 'e' not in exact else decimals)[0]}"


class Rows(HTMLParser):
    """The cells of every row, with those of the pop-ups in rows of their own."""

    def __init__(self, html: str, table: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.facts: list[list[str]] = []
        self._kind = ""
        self._into: list[list[str]] = []
        self._table = table
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = str(dict(attrs).get("class")).partition(" ")[0]
        if tag == "table":
            self._into = self.rows if kind == self._table else self.facts
        elif tag == "tr":
            self._into.append([])
        elif tag in ("td", "th") and self._into:
            self._into[-1].append("")
        elif tag == "script":
            self._into = []

    def handle_endtag(self, tag: str) -> None:
        if tag == "cwdb-action":
            self._into = self.rows

    def handle_data(self, data: str) -> None:
        if self._into and self._into[-1]:
            self._into[-1][-1] += data


def of_widget(detector: Detector, events: Sequence[RecordedEvent]) -> Iterator[Facts]:
    zone = NOON.tzinfo
    request = WidgetRequest("", NOON - DAY, NOON, 900, 400, False, zone, "w")  # type: ignore[arg-type]
    html = EventTable(request, events, numbered=True, link=lambda _: None, endpoint="arn").html()
    read = Rows(html, "cutwatch-events")
    popups = dict(cell for cell in read.facts if len(cell) == 2)
    for _, begins, lasts, severity, value, expected in read.rows[1:]:
        word, multiple = re.fullmatch(r". (\w+)(?: (\S+(?: [TGM])?)×)?", severity).groups()  # type: ignore[union-attr]
        assert popups["Begins"] == begins.removesuffix(" details")
        assert popups["Lasts"] == lasts
        assert popups["Times the cutoff"] == (multiple or "–")
        first, last = (
            datetime.fromisoformat(popups[name]).replace(tzinfo=zone) for name in ("Begins", "Ends")
        )
        yield Facts(first, last, lasts, word, multiple or "–", value, expected)


def of_report(detector: Detector, events: Sequence[RecordedEvent]) -> Iterator[Facts]:
    zone = ZoneInfo(detector.time_zone)
    report = report_of(
        events=[each.event for each in events], time_zone=detector.time_zone, name=detector.name
    )
    html = render(Page("A report", "", [report], NOON))
    for row in Rows(html, "events").rows[1:]:
        _, begins, ends, lasts, severity, multiple, value, expected, _ = row
        first = datetime.fromisoformat(begins).replace(tzinfo=zone)
        yield Facts(first, end_of(first, ends), lasts, severity, multiple, value, expected)


def of_terminal(events: Sequence[RecordedEvent]) -> Iterator[Facts]:
    shown = io.StringIO()
    Console(file=shown, width=200).print(events_table(events))
    heading, *lines = shown.getvalue().splitlines()
    assert heading.split()[0] == "Begins"
    for line in lines:
        begins, ends, _, lasts, severity, multiple, value, expected = re.split(
            r" {2,}", line.strip()
        )
        first = datetime.fromisoformat(begins).replace(tzinfo=NOON.tzinfo)
        yield Facts(first, end_of(first, ends), lasts, severity, multiple, value, expected)


@given(stretches())
def test_every_place_gives_the_same_facts_of_an_event(
    given_stretches: tuple[Detector, list[AnomalyEvent]],
) -> None:
    detector, parts = given_stretches
    events = continue_incidents(parts, None, detector.period)
    outcome, known = published(detector, events), recorded(events)

    [mailed] = of_mail(outcome)
    first, last = parts[0], parts[-1]
    assert mailed.begins == first.begins
    assert mailed.ends == parse_timestamp(last.end) + timedelta(seconds=detector.period)
    assert mailed.lasts == span_in_words(mailed.ends - mailed.begins)
    for place in (
        of_bus(outcome),
        of_json(known),
        of_terminal(known),
        of_report(detector, known),
        of_widget(detector, known),
    ):
        assert list(place) == [mailed], place


def test_an_incident_that_goes_on_in_the_next_window_is_one_event_in_every_place() -> None:
    detector = a_detector()
    first, last = (
        AnomalyEvent(
            event_id("orders", start), start, end, start, 3, 2.0, 2.0, value=9.0, expected=1.0,
            expected_low=0.5, expected_high=1.5, period_seconds=300,
        )
        for start, end in (
            ("2026-11-02T11:45:00Z", "2026-11-02T11:55:00Z"),
            ("2026-11-02T12:00:00Z", "2026-11-02T12:10:00Z"),
        )
    )  # fmt: skip
    before = LastEvent(first.id, first.end)
    known = recorded([first, *continue_incidents([last], before, detector.period)])

    expected = Facts(NOON - timedelta(minutes=15), NOON + timedelta(minutes=15), "30 min",
                     "medium", "2.0", "9", "1 (0.5 to 1.5)")  # fmt: skip
    for place in (
        of_json(known),
        of_terminal(known),
        of_report(detector, known),
        of_widget(detector, known),
    ):
        assert list(place) == [expected]


def test_a_multiple_is_cut_so_that_it_never_looks_more_severe_than_its_word() -> None:
    assert [shortened(times) for times in (1.4999, 2.96, 2.3, 1_234.6)] == [
        "1.4",
        "2.9",
        "2.3",
        "1,235",
    ]
