"""A detector's chart as SVG: the metric with its anomalies above, the anomaly score below, one time axis.

Anomalies do not rely on colour: their stretches are shaded and have a bar at the top, and events have the numbers
of the table.
"""

from collections.abc import Iterator
from html import escape

from cutwatch.widget.axes import time_ticks
from cutwatch.widget.badges import BADGE, badges, write
from cutwatch.widget.band import drawn_expectation, drawn_range
from cutwatch.widget.layout import CHARACTER, Graph, Panel, panels
from cutwatch.widget.paths import line
from cutwatch.wording import tick_labels

FONT = "font-family:'Amazon Ember','Helvetica Neue',Roboto,Arial,sans-serif"
_WIDE_LABEL = 78
_NARROWEST_MARK = 2.0
# So that the expected range of a short event is visible in a long time range.
_NARROWEST_BOX = 10.0


def draw(graph: Graph) -> str:
    """Return the `<svg>` element, as wide as the request and as high as the graph."""
    request = graph.request
    metric, score = panels(graph)
    name = f"cutwatch-{request.widget}"
    body = "".join(
        [
            *_frames(graph, metric, score),
            *_unscored(graph, metric, score, name),
            *_pending(graph, score, name),
            *drawn_range(graph, metric),
            *_anomalies(graph, metric),
            *_expected(graph, metric),
            *_curve(metric, graph.data.period, graph.colours.metric, 1.6),
            *drawn_expectation(graph, metric),
            *_curve(score, graph.data.period, graph.colours.score, 1.2),
            *badges(graph, metric),
        ]
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{request.width}" height="{graph.height}" '
        f'viewBox="0 0 {request.width} {graph.height}" role="img" '
        f'aria-labelledby="{name}-title {name}-desc" style="display:block;max-width:100%;height:auto;{FONT};font-size:11px">'
        f'<title id="{name}-title">{escape(graph.title)}</title>'
        f'<desc id="{name}-desc">{escape(graph.description)}</desc>{_hatch(graph, name)}{body}</svg>'
    )


def _frames(graph: Graph, metric: Panel, score: Panel | None) -> Iterator[str]:
    colours = graph.colours
    for panel in (metric, score):
        if panel is None:
            continue
        for tick, label in zip(panel.ticks, tick_labels(panel.ticks, panel.unit), strict=True):
            y = panel.y(tick)
            yield (
                f'<line x1="{panel.x.first:.1f}" x2="{panel.x.last:.1f}" y1="{y:.1f}" y2="{y:.1f}" '
                f'stroke="{colours.grid}"/>'
                f'<text x="{panel.x.first - 6:.1f}" y="{y + 4:.1f}" text-anchor="end" '
                f'fill="{colours.quiet}">{label}</text>'
            )
    if score:
        name = "anomaly score; the dotted part follows" if graph.pending else "anomaly score"
        yield write(score.x.first, score.top - 6, name, colours.quiet)
    yield from _time_axis(graph, score or metric)


def _time_axis(graph: Graph, panel: Panel) -> Iterator[str]:
    request, colours = graph.request, graph.colours
    yield (
        f'<line x1="{panel.x.first:.1f}" x2="{panel.x.last:.1f}" y1="{panel.bottom:.1f}" '
        f'y2="{panel.bottom:.1f}" stroke="{colours.quiet}"/>'
    )
    most = max(int((panel.x.last - panel.x.first) // _WIDE_LABEL), 1)
    for time, label in time_ticks(request.start, request.end, request.zone, most):
        x = panel.x(time.timestamp())
        half = len(label) * CHARACTER / 2
        if x - half < 0 or x + half > request.width:
            continue
        yield (
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{panel.bottom:.1f}" y2="{panel.bottom + 4:.1f}" '
            f'stroke="{colours.quiet}"/>'
        )
        yield write(x, panel.bottom + 17, label, colours.quiet, "middle")


def _unscored(graph: Graph, metric: Panel, score: Panel | None, name: str) -> Iterator[str]:
    """Hatch the time after the watermark, which has not been scored yet."""
    through, request = graph.published_through, graph.request
    if through is None or through >= request.end:
        return
    left = metric.x(through.timestamp())
    width, bottom = metric.x.last - left, (score or metric).bottom
    if width < 1:
        return
    yield (
        f'<rect x="{left:.1f}" y="{metric.top:.1f}" width="{width:.1f}" '
        f'height="{bottom - metric.top:.1f}" fill="url(#{name}-hatch)"/>'
    )
    label = graph.after_watermark
    is_free = all(metric.x(each.event.ends.timestamp()) < left - BADGE for each in graph.events)
    if is_free and width > len(label) * CHARACTER + 8:
        yield write(left + 4, 14, label, graph.colours.quiet)


def _pending(graph: Graph, score: Panel | None, name: str) -> Iterator[str]:
    """Dot the time whose scores CloudWatch does not show yet."""
    if score is None:
        return
    for each in graph.pending:
        left, width = _mark(score, each.start.timestamp(), each.end.timestamp())
        yield (
            f'<rect class="pending" x="{left:.1f}" y="{score.top:.1f}" width="{width:.1f}" height="{score.bottom - score.top:.1f}" fill="url(#{name}-dots)"/>'
        )


def _hatch(graph: Graph, name: str) -> str:
    colour = graph.colours.grid
    dots = (
        f'<pattern id="{name}-dots" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<circle cx="3" cy="3" r="1" fill="{graph.colours.score}"/></pattern>'
    )
    return (
        f'<defs><pattern id="{name}-hatch" width="8" height="8" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><line x1="0" y1="0" x2="0" y2="8" stroke="{colour}" '
        f'stroke-width="2"/></pattern>{dots}</defs>'
    )


def _anomalies(graph: Graph, metric: Panel) -> Iterator[str]:
    colour = graph.colours.anomaly
    for begin, end in graph.data.stretches:
        left, width = _mark(metric, begin, end)
        yield (
            f'<rect class="anomaly" x="{left:.1f}" y="{metric.top:.1f}" width="{width:.1f}" '
            f'height="{metric.bottom - metric.top:.1f}" fill="{colour}" fill-opacity="0.16"/>'
            f'<rect x="{left:.1f}" y="{metric.top:.1f}" width="{width:.1f}" height="3" fill="{colour}"/>'
        )


def _mark(
    panel: Panel, begin: float, end: float, narrowest: float = _NARROWEST_MARK
) -> tuple[float, float]:
    """Return left edge and width of a stretch, wide enough to be visible and inside the plot."""
    left, right = panel.x(begin), panel.x(end)
    wide = max(right - left, narrowest)
    middle = (left + right - wide) / 2
    return min(max(middle, panel.x.first), panel.x.last - wide), wide


def _expected(graph: Graph, metric: Panel) -> Iterator[str]:
    colour = graph.colours.reference
    for each in graph.with_expected_range:
        event = each.event
        if event.expected is None or event.expected_low is None or event.expected_high is None:
            continue
        left, width = _mark(
            metric, event.begins.timestamp(), event.ends.timestamp(), _NARROWEST_BOX
        )
        top, bottom = metric.y(event.expected_high), metric.y(event.expected_low)
        middle = metric.y(event.expected)
        yield (
            f'<rect class="expected" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" '
            f'height="{max(bottom - top, 1):.1f}" fill="none" stroke="{colour}" stroke-dasharray="3 2"/>'
            f'<line x1="{left:.1f}" x2="{left + width:.1f}" y1="{middle:.1f}" y2="{middle:.1f}" '
            f'stroke="{colour}" stroke-width="1.5"/>'
        )


def _curve(panel: Panel | None, period: int, colour: str, width: float) -> Iterator[str]:
    if panel is None:
        return
    path, alone = line(panel.points, period, panel.x, panel.y)
    if path:
        yield (
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" '
            'stroke-linejoin="round"/>'
        )
    if alone:
        yield (
            f'<path class="alone" d="{alone}" fill="none" stroke="{colour}" stroke-width="3.5" '
            'stroke-linecap="round"/>'
        )
