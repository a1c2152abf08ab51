"""Numbers of the events above a chart, each with the event's facts for the pointer."""

from collections.abc import Iterator
from html import escape

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.widget.layout import CHARACTER, Graph, Panel
from cutwatch.wording import (
    end_in_words,
    expected_in_words,
    severity_in_words,
    span_in_words,
    time_in_words,
    value_in_words,
)

BADGE = 16


def badges(graph: Graph, metric: Panel) -> Iterator[str]:
    """Draw the events' numbers above the plot; where there is not enough room, the most severe win."""
    colours = graph.colours
    taken: list[float] = []
    numbered = list(enumerate(graph.events, start=1))
    for number, each in sorted(numbered, key=lambda pair: -(pair[1].event.severity or 1e9)):
        begins, ends = each.event.begins.timestamp(), each.event.ends.timestamp()
        middle = (metric.x(begins) + metric.x(ends)) / 2
        width = BADGE + CHARACTER * (len(str(number)) - 1)
        x = min(max(middle, metric.x.first + width / 2), metric.x.last - width / 2)
        if any(abs(x - other) < width + 2 for other in taken):
            continue
        taken.append(x)
        number_text = write(x, 15, str(number), colours.badge_text, "middle")
        yield (
            f"<g><title>{escape(_summary(graph, each.event))}</title>"
            f'<rect x="{x - width / 2:.1f}" y="3" width="{width:.1f}" height="{BADGE}" rx="8" '
            f'fill="{colours.anomaly}"/>{number_text}</g>'
        )


def _summary(graph: Graph, event: AnomalyEvent) -> str:
    """Return an event's facts, for the pointer."""
    zone = graph.request.zone
    return (
        f"{time_in_words(event.begins, zone)} to {end_in_words(event, zone)}, {span_in_words(event.lasts)}: "
        f"{value_in_words(event)}; expected {expected_in_words(event)}; severity: {severity_in_words(event)}"
    )


def write(x: float, y: float, text: str, colour: str, anchor: str = "start") -> str:
    """Return a text with its baseline at `y`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'
