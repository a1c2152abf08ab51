"""Layout of a chart: its panels, their scales and datapoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cutwatch.detection.band import BandPoint
from cutwatch.detectors.unit import Unit
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.pending_scores import PendingScores
from cutwatch.widget.axes import Scale, value_range, value_ticks
from cutwatch.widget.chart_data import GraphData, Points
from cutwatch.widget.palette import Palette, palette
from cutwatch.widget.request import WidgetRequest
from cutwatch.wording import tick_labels

# Approximate width of a character; heights above and below the panels.
CHARACTER, TOP, BOTTOM = 6.2, 22, 22
_LEFT, _RIGHT, _BETWEEN, _TALL_LABEL = 14, 12, 20, 34
_SCORE_SHARE, _SCORE_FROM = 0.24, 190


@dataclass(frozen=True)
class Graph:
    """Contents of a chart. `events` are numbered from 1 in their order.

    `pending` are published scores that CloudWatch does not show yet. `in_detail` is True if a datapoint of the chart is one of the detector's, so that expected ranges can be drawn next to
    them. `expected` are runs of points of the expected range. `title` and `description` are for screen readers.
    """

    request: WidgetRequest
    data: GraphData
    events: Sequence[RecordedEvent]
    published_through: datetime | None
    pending: Sequence[PendingScores]
    height: int
    in_detail: bool
    title: str
    description: str
    unit: Unit | None = None
    live: bool = False
    expected: Sequence[Sequence[BandPoint]] = ()

    @property
    def after_watermark(self) -> str:
        """Label of the time that no transform has scored yet: a live detector's incidents are known there, and no scores."""
        return "incidents by live detection" if self.live else "not scored yet"

    @property
    def colours(self) -> Palette:
        """Colours of the dashboard's theme."""
        return palette(dark=self.request.dark)

    @property
    def with_expected_range(self) -> list[RecordedEvent]:
        """Events outside the band whose own expected range can be drawn next to the metric."""
        if not self.in_detail:
            return []
        return [
            each
            for each in self.events
            if each.event.expected is not None and not self._has_band(each)
        ]

    def _has_band(self, each: RecordedEvent) -> bool:
        """Return True if the band covers an event."""
        begins, ends = each.event.begins.timestamp(), each.event.ends.timestamp()
        return any(run[0].time <= begins and ends <= run[-1].time for run in self.expected)


@dataclass(frozen=True)
class Panel:
    """A plot with its own scale of values."""

    x: Scale
    y: Scale
    points: Points
    ticks: Sequence[float]
    unit: Unit | None = None

    @property
    def top(self) -> float:
        """Pixel of the upper edge."""
        return self.y.last

    @property
    def bottom(self) -> float:
        """Pixel of the lower edge."""
        return self.y.first


def panels(graph: Graph) -> tuple[Panel, Panel | None]:
    """Return the metric's panel, and the score's panel if there are scores, readable or not, and enough height."""
    data, bottom = graph.data, graph.height - BOTTOM
    height: float = bottom - TOP
    has_score = bool(data.scores or graph.pending) and graph.height >= _SCORE_FROM
    if has_score:
        height = height * (1 - _SCORE_SHARE) - _BETWEEN
    low, high = value_range(_values(graph))
    ticks = value_ticks(low, high, max(int(height // _TALL_LABEL), 1))
    score_low, score_high = value_range([value for _, value in data.scores])
    score_ticks = value_ticks(score_low, score_high, 2) if has_score and data.scores else []
    x = _time_scale(graph, [*tick_labels(ticks, graph.unit), *tick_labels(score_ticks)])
    y = Scale(low, high, TOP + height, TOP)
    metric = Panel(x, y, _within(graph, data.metric), ticks, graph.unit)
    if not has_score:
        return metric, None
    scale = Scale(score_low, score_high, bottom, TOP + height + _BETWEEN)
    return metric, Panel(x, scale, _within(graph, data.scores), score_ticks)


def _time_scale(graph: Graph, labels: Sequence[str]) -> Scale:
    """Return the scale of times, from the widest value label to the right margin."""
    request = graph.request
    left = _LEFT + max(map(len, labels), default=1) * CHARACTER
    return Scale(request.start.timestamp(), request.end.timestamp(), left, request.width - _RIGHT)


def _within(graph: Graph, points: Points) -> Points:
    """Drop points outside the time range: the first period is rounded down and may begin earlier."""
    start, end = graph.request.start.timestamp(), graph.request.end.timestamp()
    return [point for point in points if start <= point[0] < end]


def _values(graph: Graph) -> list[float]:
    """Return the values that the scale must include: the metric and its expected ranges."""
    expected = [
        bound
        for each in graph.with_expected_range
        for bound in (each.event.expected_low, each.event.expected_high)
        if bound is not None
    ]
    band = (edge for run in graph.expected for point in run for edge in (point.low, point.high))
    return [*(value for _, value in _within(graph, graph.data.metric)), *expected, *band]
