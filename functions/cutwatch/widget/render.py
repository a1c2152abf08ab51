"""The dashboard's custom widget as HTML without scripts: one detector's chart and events, or all events."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING

from cutwatch.console_links import graph_url
from cutwatch.detection.band import ExpectedBand
from cutwatch.detectors.detector import Detector
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.pending_scores import PendingScores, unreadable
from cutwatch.registry.registry import Registry
from cutwatch.widget.band import band_label, shown_points
from cutwatch.widget.chart_data import GraphData, read_graph_data
from cutwatch.widget.event_table import EventTable, call
from cutwatch.widget.layout import Graph
from cutwatch.widget.page import framed, note, pending_note
from cutwatch.widget.request import WidgetRequest
from cutwatch.widget.svg import draw
from cutwatch.wording import span_in_words, time_in_words

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

_MOST_EVENTS = 30
_GRAPH_HEIGHTS = (120, 420)
_ROW, _TEXT = 26, 58
_LEGEND = 22


@dataclass(frozen=True)
class Widget:
    """Sources of the widget; `endpoint` is the ARN of its own function, which its links call."""

    cloudwatch: "CloudWatchClient"
    registry: Registry
    namespace: str
    region: str
    endpoint: str
    now: datetime

    def html(self, request: WidgetRequest) -> str:
        """Render a request. Raises AWS's errors, which `page.error_note` renders."""
        content = self._of_detector(request) if request.detector else self._of_all(request)
        return framed(request, content)

    def _of_all(self, request: WidgetRequest) -> str:
        events = self._events(request)
        if not events:
            return note(f"No events of any detector {_when(request)}.")
        shown = events[:_MOST_EVENTS]
        known = {each.detector: self.registry.detectors.get(each.detector) for each in shown}
        table = EventTable(
            request,
            shown,
            numbered=False,
            link=lambda each: self._link(known[each.detector].detector, each),
            endpoint=self.endpoint,
        )
        return f"<p>Events of all detectors {_when(request)}</p>{table.html()}{_rest(events)}"

    def _of_detector(self, request: WidgetRequest) -> str:
        record = self.registry.detectors.get(request.detector)
        detector = record.detector
        if detector is None:
            return self._unpublished(request, record)
        start, end = request.start, request.end
        read = read_graph_data(self.cloudwatch, self.namespace, detector, start, end, self.now)
        events = [each for each in self._events(request) if each.detector == detector.name]
        data = read.with_events(events, start, min(end, self.now))
        bands = self.registry.bands.between(detector.name, start, end)
        pending = unreadable(record.pending, read.classified, start, end, self.now)
        return "".join(
            [
                self._heading(detector, data),
                _picture(request, record, detector, data, events, pending, bands),
                pending_note(pending, request.zone),
                self._table(request, detector, events),
            ]
        )

    def _events(self, request: WidgetRequest) -> list[RecordedEvent]:
        return self.registry.events.between(request.start, request.end)

    def _heading(self, detector: Detector, data: GraphData) -> str:
        period = span_in_words(timedelta(seconds=data.period))
        all_detectors = call("All detectors", self.endpoint, "", "btn")
        return (
            f'<div class="cutwatch-head"><p><strong>{escape(detector.name)}</strong> '
            f"{escape(detector.metric_label)} of {period}</p>{all_detectors}</div>"
        )

    def _table(
        self, request: WidgetRequest, detector: Detector, events: list[RecordedEvent]
    ) -> str:
        if not events:
            return note(f"No events {_when(request)}.")
        table = EventTable(
            request,
            events[:_MOST_EVENTS],
            numbered=True,
            link=lambda each: self._link(detector, each),
            endpoint=self.endpoint,
        )
        return table.html() + _rest(events)

    def _link(self, detector: Detector | None, each: RecordedEvent) -> str | None:
        if detector is None:
            return None
        return graph_url(self.region, detector, self.namespace, each.event.begins, each.event.ends)

    def _unpublished(self, request: WidgetRequest, record: DetectorRecord) -> str:
        """Explain the absence of data: not published yet, or an unknown detector."""
        if record.models or record.published_through:
            return note(
                f"{request.detector} has a model, but nothing is published yet. Its chart appears after the "
                "next transform."
            )
        near = get_close_matches(request.detector, self.registry.detectors.all(), n=1)
        if not near:
            return note(
                f"No detector is named {request.detector!r}, or it has not been trained yet. See the names in "
                "detectors.yaml."
            )
        unknown = escape(f"No detector is named {request.detector!r}. Did you mean ")
        return f"<p>{unknown}{call(near[0], self.endpoint, near[0])}?</p>"


def _picture(
    request: WidgetRequest,
    record: DetectorRecord,
    detector: Detector,
    data: GraphData,
    events: list[RecordedEvent],
    pending: list[PendingScores],
    bands: list[ExpectedBand],
) -> str:
    if not (data.metric or data.classified or pending):
        return note(f"CloudWatch has no datapoints of {detector.metric_label} {_when(request)}.")
    growth = detector.growth(data.period)
    start, end = request.start.timestamp(), request.end.timestamp()
    graph = Graph(
        request=request,
        data=data,
        events=events[:_MOST_EVENTS],
        published_through=record.published_through,
        pending=pending,
        height=_graph_height(request, len(events) + bool(pending)),
        in_detail=data.period == detector.period,
        title=f"{detector.name}, {_when(request)}",
        description=_description(request, record, data, events),
        unit=detector.value_unit,
        live=detector.live,
        expected=shown_points(bands, start, end, growth) if growth else (),
    )
    return draw(graph) + _legend(request, record, graph, band_label(detector, data.period))


def _graph_height(request: WidgetRequest, events: int) -> int:
    """Return the height that the table leaves, within limits."""
    smallest, largest = _GRAPH_HEIGHTS
    left = request.height - _TEXT - _LEGEND - _ROW * min(events + 1, 5)
    return int(min(max(left, smallest), largest))


def _legend(request: WidgetRequest, record: DetectorRecord, graph: Graph, band: str) -> str:
    """Explain the marks that the chart has."""
    marks = []
    if graph.data.anomalous:
        marks.append("shaded, with a bar: anomalous, numbered as in the table")
    if graph.expected:
        marks.append(band)
    if any(each.event.expected_low is not None for each in graph.with_expected_range):
        marks.append("dashed box: expected value and 90 % range of an event")
    through = record.published_through
    if through and through < request.end:
        scored = time_in_words(through, request.zone)
        marks.append(f"hatched: {graph.after_watermark} (scored through {scored})")
    return f'<p class="cutwatch-legend">{" · ".join(marks)}</p>' if marks else ""


def _description(
    request: WidgetRequest, record: DetectorRecord, data: GraphData, events: list[RecordedEvent]
) -> str:
    through = record.published_through
    scored = time_in_words(through, request.zone) if through else "nothing yet"
    return (
        f"{len(data.metric):,} datapoints, {len(data.anomalous):,} of them anomalous, {len(events)} events; "
        f"scored through {scored}. The table below lists the events."
    )


def _when(request: WidgetRequest) -> str:
    start, end = (time_in_words(each, request.zone) for each in (request.start, request.end))
    return f"from {start} to {end} ({request.zone_name})"


def _rest(events: list[RecordedEvent]) -> str:
    more = len(events) - _MOST_EVENTS
    return note(f"and {more:,} earlier events; choose a shorter time range") if more > 0 else ""
