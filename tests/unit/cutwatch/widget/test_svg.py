"""The picture: marks lie inside, texts do not touch, gaps are gaps, and nobody's name becomes markup."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.pending_scores import PendingScores
from cutwatch.timestamps import format_timestamp
from cutwatch.widget.chart_data import GraphData, Points
from cutwatch.widget.layout import Graph
from cutwatch.widget.request import WidgetRequest
from cutwatch.widget.svg import draw
from cutwatch.wording import time_in_words

SVG = "{http://www.w3.org/2000/svg}"
START = datetime(2026, 6, 1, tzinfo=UTC)
NUMBER = re.compile(r"-?[\d.]+")
PERIOD = 300
HOUR = timedelta(hours=1)
REQUEST = WidgetRequest("checkout", START, START + 24 * HOUR, 800, 400, False, UTC, "widget-1")


def epoch(position: int) -> int:
    return int(START.timestamp()) + PERIOD * position


def points(*values: float | None) -> Points:
    return [(epoch(n), value) for n, value in enumerate(values) if value is not None]


def event(first: int, last: int, severity: float | None = 2.0, **fields: Any) -> RecordedEvent:
    start, end = (
        format_timestamp(START + timedelta(seconds=PERIOD * position)) for position in (first, last)
    )
    found = AnomalyEvent(
        f"checkout:{start}", start, end, start, last - first + 1, severity, **fields
    )
    found = replace(found, period_seconds=PERIOD)
    return RecordedEvent("checkout", found, "transform-1")


def graph(
    metric: Points,
    anomalous: list[int] | None = None,
    scores: Points | None = None,
    events: list[RecordedEvent] | None = None,
    **fields: object,
) -> Graph:
    drawn = Graph(
        request=REQUEST,
        data=GraphData(PERIOD, metric, [epoch(n) for n in anomalous or []], scores or [], []),
        events=events or [],
        published_through=REQUEST.end,
        pending=(),
        height=300,
        in_detail=True,
        title="checkout",
        description="",
    )
    return replace(drawn, **fields)  # type: ignore[arg-type]


def elements(drawn: Graph, name: str) -> list[ET.Element]:
    return list(ET.fromstring(draw(drawn)).iter(f"{SVG}{name}"))


def texts(drawn: Graph) -> list[str]:
    return [str(element.text) for element in elements(drawn, "text")]


def test_a_gap_in_the_metric_is_a_gap_in_the_line() -> None:
    [path] = elements(graph(points(1, 2, None, None, 4, 5, 6)), "path")
    assert path.get("d", "").count("M") == 2


def test_a_datapoint_between_two_gaps_is_a_dot() -> None:
    drawn = graph(points(1, 2, None, 9, None, 4, 5))
    [dots] = [each for each in elements(drawn, "path") if each.get("class") == "alone"]
    assert dots.get("d", "").count("M") == 1


def test_each_anomalous_stretch_is_shaded_and_has_a_bar() -> None:
    drawn = graph(points(*range(10)), anomalous=[2, 3, 7])
    stretches = [each for each in elements(drawn, "rect") if each.get("class") == "anomaly"]
    bars = [each for each in elements(drawn, "rect") if each.get("height") == "3"]
    assert len(stretches) == len(bars) == 2


def test_events_have_the_numbers_of_the_table() -> None:
    drawn = graph(points(*range(288)), events=[event(200, 210), event(20, 30)])
    numbers = {str(each.text): float(each.get("x", 0)) for each in elements(drawn, "text")}
    assert numbers["2"] < numbers["1"]


def test_a_number_has_its_event_s_facts_for_the_pointer() -> None:
    facts = {"value": 9.0, "expected": 2.0, "expected_low": 1.0, "expected_high": 3.0}
    drawn = graph(points(1, 9, 1), events=[event(1, 1, 3.25, **facts)])

    [title] = [each.text for each in elements(drawn, "title") if each.text != "checkout"]
    begins = time_in_words(START + timedelta(seconds=PERIOD), UTC)
    assert str(title).startswith(f"{begins} to ")
    assert str(title).endswith(
        ", 5 min: 9; expected 2 (1 to 3); severity: high, 3.2 times the cutoff"
    )


def test_the_expected_range_of_a_short_event_is_visible_in_a_long_time_range() -> None:
    expected = {"value": 9.0, "expected": 2.0, "expected_low": 1.0, "expected_high": 3.0}
    request = replace(REQUEST, end=REQUEST.start + timedelta(days=60))
    drawn = graph(points(1, 9, 1), events=[event(1, 1, **expected)], request=request)

    [box] = [each for each in elements(drawn, "rect") if each.get("class") == "expected"]
    assert float(str(box.get("width"))) >= 10


def test_of_events_too_close_together_the_most_severe_has_its_number() -> None:
    close = [event(22, 22, 1.2), event(21, 21, 5.0), event(20, 20, 1.1)]
    found = texts(graph(points(*range(288)), events=close))
    assert "2" in found
    assert not {"1", "3"} & set(found)


def test_silence_is_as_grave_as_anything() -> None:
    close = [event(22, 22, 9.0), event(21, 21, None)]
    assert "2" in texts(graph(points(*range(288)), events=close))


def test_the_expected_range_stands_where_a_datapoint_is_one_of_the_detector_s() -> None:
    usual = {"expected": 5.0, "expected_low": 4.0, "expected_high": 6.0}
    drawn = graph(points(*range(288)), events=[event(20, 30, **usual)])

    def ranges(of: Graph) -> int:
        return sum(each.get("class") == "expected" for each in elements(of, "rect"))

    assert ranges(drawn) == 1
    assert ranges(replace(drawn, in_detail=False)) == 0


def test_what_is_not_scored_yet_is_hatched_and_said() -> None:
    drawn = graph(points(*range(288)), published_through=START + 12 * HOUR)
    assert any("hatch" in each.get("fill", "") for each in elements(drawn, "rect"))
    assert "not scored yet" in texts(drawn)
    assert "not scored yet" not in texts(replace(drawn, published_through=REQUEST.end))
    live = texts(replace(drawn, live=True))
    assert "incidents by live detection" in live
    assert "not scored yet" not in live


@pytest.mark.parametrize("scores", [None, points(1.0, 2.0)], ids=["no score yet", "some scores"])
def test_scores_that_are_not_readable_yet_are_dotted_and_said(scores: Points | None) -> None:
    pending = [PendingScores(START + HOUR, START + 13 * HOUR, REQUEST.end)]
    drawn = graph(points(1.0, 2.0), scores=scores, pending=pending, height=400)
    [dotted] = [e for e in elements(drawn, "rect") if e.get("class") == "pending"]
    hour = (REQUEST.width - 12 - float(dotted.attrib["x"])) / 23
    assert float(dotted.attrib["width"]) == pytest.approx(12 * hour, abs=0.2)
    assert "anomaly score; the dotted part follows" in texts(drawn)


def test_an_event_s_number_is_not_written_over() -> None:
    late = graph(points(*range(288)), events=[event(142, 143)], published_through=START + 12 * HOUR)
    assert "1" in texts(late)
    assert "not scored yet" not in texts(late)


def test_scores_have_a_panel_of_their_own_where_there_is_room() -> None:
    drawn = graph(points(*range(20)), scores=points(*range(20)))
    assert "anomaly score" in texts(drawn)
    assert len(elements(drawn, "path")) == 2
    assert len(elements(replace(drawn, height=150), "path")) == 1


def test_who_cannot_see_the_picture_is_told_what_it_shows() -> None:
    drawn = graph(points(1, 2), title="<b>checkout</b>", description="2 & no more")
    root = ET.fromstring(draw(drawn))
    names = str(root.get("aria-labelledby")).split()
    told = {each.get("id"): each.text for each in root if each.get("id")}
    assert root.get("role") == "img"
    assert [told[name] for name in names] == ["<b>checkout</b>", "2 & no more"]


def test_two_widgets_of_one_page_share_no_id() -> None:
    one = draw(graph(points(1, 2)))
    other = draw(graph(points(1, 2), request=replace(REQUEST, widget="widget-2")))
    ids = [set(re.findall(r'id="([^"]+)"', drawn)) for drawn in (one, other)]
    assert ids[0]
    assert ids[0].isdisjoint(ids[1])


def test_light_and_dark_have_their_own_colours() -> None:
    drawn = graph(points(1, 2))
    assert draw(drawn) != draw(replace(drawn, request=replace(REQUEST, dark=True)))


def positions(drawn: Graph) -> Iterator[tuple[float, float]]:
    """Every corner and every end of every mark."""
    for element in [*elements(drawn, "line"), *elements(drawn, "rect"), *elements(drawn, "text")]:
        place = {name: float(value) for name, value in element.items() if NUMBER.fullmatch(value)}
        if element.get("stroke-width") == "2":
            continue  # the hatching's own pattern, which is repeated
        x, y = place.get("x", place.get("x1", 0)), place.get("y", place.get("y1", 0))
        yield x, y
        yield (
            place.get("x2", x + place.get("width", 0)),
            place.get("y2", y + place.get("height", 0)),
        )
    for path in elements(drawn, "path"):
        for mark in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", "")):
            yield float(mark[0]), float(mark[1])


VALUES = st.none() | st.floats(-1e9, 1e9)
EVENTS = st.builds(
    lambda first, length, severity, usual: event(
        first,
        first + length,
        severity,
        **(
            {"expected": usual, "expected_low": usual - 1, "expected_high": usual + 1}
            if usual
            else {}
        ),
    ),
    st.integers(-100, 400),
    st.integers(0, 300),
    st.none() | st.floats(1, 100),
    st.none() | st.floats(-1e6, 1e6),
)


@settings(deadline=None)
@given(
    st.lists(VALUES, max_size=288),
    st.lists(st.integers(-2, 287), max_size=40, unique=True).map(sorted),
    st.lists(EVENTS, max_size=8),
    st.integers(240, 1600),
    st.integers(120, 420),
    st.integers(-30, 30),
)
def test_whatever_is_drawn_lies_inside_of_the_picture(
    values: list[float | None],
    anomalous: list[int],
    events: list[RecordedEvent],
    width: int,
    height: int,
    scored_hours: int,
) -> None:
    drawn = graph(
        points(*values),
        anomalous,
        points(*values),
        events,
        request=replace(REQUEST, width=width),
        height=height,
        published_through=START + scored_hours * HOUR,
    )
    for x, y in positions(drawn):
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_no_datapoint_at_all_is_an_empty_picture() -> None:
    assert elements(graph([]), "path") == []


@pytest.mark.parametrize("days", [1 / 24, 1, 14, 63, 455])
def test_a_picture_is_small_whatever_it_shows(days: float) -> None:
    end = START + timedelta(days=days)
    count = min(int(days * 288), 10_000)
    step = int((end - START).total_seconds() / count)
    many = [(int(START.timestamp() + n * step), float(n % 97)) for n in range(count)]
    drawn = graph(many, scores=many, request=replace(REQUEST, end=end, width=1600))
    assert len(draw(replace(drawn, data=replace(drawn.data, period=step)))) < 250_000
    # Each datapoint between two gaps, which nothing can be left out of.
    assert len(draw(replace(drawn, data=replace(drawn.data, period=1)))) < 300_000


def test_the_axis_of_the_metric_has_its_unit_and_the_scores_have_none() -> None:
    drawn = graph(points(80, 120, 100), scores=points(1, 2, 1), unit="Milliseconds")
    assert [text for text in texts(drawn) if text.endswith(" ms")] == [
        "80 ms",
        "90 ms",
        "100 ms",
        "110 ms",
        "120 ms",
    ]
    assert not [text for text in texts(replace(drawn, unit=None)) if text.endswith(" ms")]
