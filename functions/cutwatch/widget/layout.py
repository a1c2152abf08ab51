"""A graph and its panels: what is drawn, and where on the picture its values and times are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cutwatch.registry.event_record import RecordedEvent
from cutwatch.widget.axes import Scale, value_range, value_ticks
from cutwatch.widget.chart_data import GraphData, Points
from cutwatch.widget.palette import Palette, palette
from cutwatch.widget.request import WidgetRequest
from cutwatch.wording import tick_labels

# How wide a character of the picture's type is, about; what stands above and below the panels.
CHARACTER, TOP, BOTTOM = 6.2, 22, 22
_LEFT, _RIGHT, _BETWEEN, _TALL_LABEL = 14, 12, 20, 34
_SCORE_SHARE, _SCORE_FROM = 0.24, 190


@dataclass(frozen=True)
class Graph:
    """All that a picture is drawn of. `events` are numbered from 1 in their order.

    `in_detail` says that a datapoint of the picture is one of the detector's, so that what was expected of one of them
    can stand beside it. `title` and `description` are for those who cannot see it.
    """

    request: WidgetRequest
    data: GraphData
    events: Sequence[RecordedEvent]
    published_through: datetime | None
    height: int
    in_detail: bool
    title: str
    description: str

    @property
    def colours(self) -> Palette:
        """Those of the dashboard's theme."""
        return palette(dark=self.request.dark)

    @property
    def judged(self) -> list[RecordedEvent]:
        """Events whose expected range can stand beside the metric."""
        if not self.in_detail:
            return []
        return [each for each in self.events if each.event.expected is not None]


@dataclass(frozen=True)
class Panel:
    """A plot with its own scale of values."""

    x: Scale
    y: Scale
    points: Points
    ticks: Sequence[float]

    @property
    def top(self) -> float:
        """The pixel of its upper edge."""
        return self.y.last

    @property
    def bottom(self) -> float:
        """The pixel of its lower edge."""
        return self.y.first


def panels(graph: Graph) -> tuple[Panel, Panel | None]:
    """That of the metric, and that of the scores if there are any and there is room for them."""
    data, bottom = graph.data, graph.height - BOTTOM
    height: float = bottom - TOP
    has_score = bool(data.scores) and graph.height >= _SCORE_FROM
    if has_score:
        height = height * (1 - _SCORE_SHARE) - _BETWEEN
    low, high = value_range(_values(graph))
    ticks = value_ticks(low, high, max(int(height // _TALL_LABEL), 1))
    score_low, score_high = value_range([value for _, value in data.scores])
    score_ticks = value_ticks(score_low, score_high, 2) if has_score else []
    x = _time_scale(graph, [*tick_labels(ticks), *tick_labels(score_ticks)])
    metric = Panel(x, Scale(low, high, TOP + height, TOP), _within(graph, data.metric), ticks)
    if not has_score:
        return metric, None
    scale = Scale(score_low, score_high, bottom, TOP + height + _BETWEEN)
    return metric, Panel(x, scale, _within(graph, data.scores), score_ticks)


def _time_scale(graph: Graph, labels: Sequence[str]) -> Scale:
    """From the right of the widest label of values to the edge, less a margin."""
    request = graph.request
    left = _LEFT + max(map(len, labels), default=1) * CHARACTER
    return Scale(request.start.timestamp(), request.end.timestamp(), left, request.width - _RIGHT)


def _within(graph: Graph, points: Points) -> Points:
    """A first period may begin before the time range: it was rounded down."""
    start, end = graph.request.start.timestamp(), graph.request.end.timestamp()
    return [point for point in points if start <= point[0] < end]


def _values(graph: Graph) -> list[float]:
    """What the scale has to hold: the metric, and what was expected of it."""
    expected = [
        bound
        for each in graph.judged
        for bound in (each.event.expected_low, each.event.expected_high)
        if bound is not None
    ]
    return [*(value for _, value in _within(graph, graph.data.metric)), *expected]
