"""The table of events."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.widget.event_table import EventTable, call, severity
from cutwatch.widget.request import WidgetRequest
from cutwatch.wording import expected_in_words

START = datetime(2026, 6, 1, tzinfo=UTC)
REQUEST = WidgetRequest("", START, START + timedelta(days=1), 800, 400, False, UTC, "widget-1")
ARN = "arn:aws:lambda:us-east-1:123456789012:function:cutwatch-DrawWidget"
SPIKE = AnomalyEvent(
    "checkout:2026-06-01T01:05:00Z",
    "2026-06-01T01:05:00Z",
    "2026-06-01T03:10:00Z",
    "2026-06-01T01:10:00Z",
    datapoints=26,
    severity=4.5,
    score=8.08,
    value=310.0,
    expected=88.5,
    expected_low=85.3,
    expected_high=91.7,
    driver="level",
    period_seconds=300,
)
SILENCE = replace(
    SPIKE, severity=None, score=None, value=None, expected=None, end=SPIKE.start, driver=None
)


class Cells(HTMLParser):
    """The text of every cell, row by row; what pops up is left out."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden += tag == "cwdb-action"
        if tag == "tr" and not self._hidden:
            self.rows.append([])
        if tag in ("td", "th") and not self._hidden:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "cwdb-action"

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and not self._hidden:
            self.rows[-1][-1] += data


def table(*events: AnomalyEvent, numbered: bool = True, **changes: Any) -> str:
    recorded = [RecordedEvent("checkout", event, "transform-1") for event in events]
    return EventTable(
        replace(REQUEST, **changes), recorded, numbered, lambda _: "https://console/?a=1&b='2'", ARN
    ).html()


def test_an_event_has_when_how_long_how_grave_what_and_what_was_expected() -> None:
    assert Cells(table(SPIKE)).rows == [
        ["#", "Begins", "Lasts", "Severity", "Value", "Expected"],
        [
            "1",
            "2026-06-01 01:05 details",
            "2 h 10 min",
            "● high 4.5×",
            "310",
            "88.5 (85.3 to 91.7)",
        ],
    ]


def test_silence_has_no_value_and_no_multiple() -> None:
    assert Cells(table(SILENCE)).rows[1] == [
        *("1", "2026-06-01 01:05 details", "5 min", "● high", "no data", "data")
    ]


def test_of_several_detectors_each_event_names_its_own() -> None:
    rows = Cells(table(SPIKE, numbered=False)).rows
    assert rows[0] == ["Begins", "Detector", "Lasts", "Severity", "Value", "Expected"]
    assert rows[1][1] == "checkout"


def test_in_a_narrow_widget_the_last_two_columns_are_one() -> None:
    rows = Cells(table(SPIKE, width=400)).rows
    assert rows[0][-1] == "Value / expected"
    assert rows[1][-1] == "31088.5 (85.3 to 91.7)"


def test_times_are_those_of_the_dashboard_s_zone() -> None:
    html = table(SPIKE, zone=timezone(timedelta(hours=-3)))
    assert "2026-05-31 22:05" in html
    assert "times are UTC-03:00" in html


def test_every_column_has_a_header_that_screen_readers_find() -> None:
    html = table(SPIKE)
    assert html.count('<th scope="col">') == 6
    assert "<caption>" in html


def test_the_beginning_links_to_the_graph() -> None:
    assert 'href="https://console/?a=1&amp;b=&#x27;2&#x27;"' in table(SPIKE)
    unlinked = EventTable(
        REQUEST,
        [RecordedEvent("a", SPIKE, "run")],
        numbered=True,
        link=lambda _: None,
        endpoint=ARN,
    )
    assert "href" not in unlinked.html()


def test_details_pop_up_where_they_are_asked_for() -> None:
    html = table(SPIKE)
    [popup] = re.findall(r'details</a><cwdb-action display="popup">(.*?)</cwdb-action>', html)
    for told in ("26", "8.08", "level", "transform-1"):
        assert f"<td>{told}</td>" in popup


def parameters(html: str) -> Iterator[Any]:
    for found in re.findall(r'action="call"[^>]*>(.*?)</cwdb-action>', html):
        yield json.loads(found.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))


@pytest.mark.parametrize("name", ["checkout", "", '"</cwdb-action><script>alert(1)</script>&amp;'])
def test_a_link_calls_the_widget_for_another_detector(name: str) -> None:
    html = call("text", ARN, name)
    assert "<script" not in html
    assert f'endpoint="{ARN}"' in html
    assert list(parameters(html)) == [{"detector": name}]
    # The action belongs to the element right before it.
    assert "</a><cwdb-action" in html


def test_a_hostile_name_is_text() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    recorded = [RecordedEvent(hostile, SPIKE, hostile)]
    html = EventTable(
        REQUEST, recorded, numbered=False, link=lambda _: hostile, endpoint=ARN
    ).html()
    assert "<img" not in html


@pytest.mark.parametrize(
    ("multiple", "words"), [(1.2, "○</span> low 1.2×"), (2.9, "◐</span> medium 2.9×")]
)
def test_severity_is_a_sign_and_a_word_and_a_number(multiple: float, words: str) -> None:
    assert severity(replace(SPIKE, severity=multiple)).endswith(words)


def test_where_nothing_is_known_of_the_usual_nothing_is_said() -> None:
    assert expected_in_words(replace(SPIKE, expected=None)) == "–"
