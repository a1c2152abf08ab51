"""The chart of an hour as SVG: mean response time above, highest score below, by minute, with the anomalies marked."""

from collections.abc import Callable, Iterator
from html import escape

from cutwatch.reports.hour_report import HourReport, mean_seconds
from cutwatch.streams.log_summary import Tally
from cutwatch.widget.axes import Scale, value_range, value_ticks
from cutwatch.wording import count, tick_labels

WIDTH, HEIGHT = 960, 420
_LEFT, _RIGHT = 64, 12
_PANELS = ((34, 210), (262, 380))
_MINUTES, _MINUTE_STEP, _MOST_TICKS = 60, 10, 4

Measure = Callable[[Tally], float | None]
Point = tuple[int, float]


def draw(report: HourReport) -> str:
    """Return the `<svg>` element; colours are CSS variables of the page."""
    across = Scale(0.0, _MINUTES, _LEFT, WIDTH - _RIGHT)
    minutes = {int(name): tally for name, tally in report.minutes.items()}
    marked = [minute for minute, tally in sorted(minutes.items()) if tally.anomalies]
    panels = (
        ("Mean response time, seconds", mean_seconds, "metric"),
        ("Highest score", lambda tally: tally.score, "score"),
    )
    body = "".join(
        part
        for (top, bottom), (title, measure, colour) in zip(_PANELS, panels, strict=True)
        for part in _panel(title, _points(minutes, measure), marked, across, (top, bottom), colour)
    )
    words = f"{count(report.total.anomalies, 'anomalous record')} in {count(len(marked), 'minute')}"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="chart-title chart-words">'
        f'<title id="chart-title">Response time and score by minute</title><desc id="chart-words">{words}</desc>'
        f"{body}{''.join(_times(report, across))}</svg>"
    )


def _points(minutes: dict[int, Tally], measure: Measure) -> list[Point]:
    values = ((minute, measure(tally)) for minute, tally in sorted(minutes.items()))
    return [(minute, value) for minute, value in values if value is not None]


def _panel(
    title: str,
    points: list[Point],
    marked: list[int],
    across: Scale,
    edges: tuple[int, int],
    colour: str,
) -> Iterator[str]:
    top, bottom = edges
    low, high = value_range([value for _, value in points])
    down = Scale(low, high, bottom, top)
    yield f'<text class="title" x="{_LEFT}" y="{top - 12}">{escape(title)}</text>'
    ticks = value_ticks(low, high, _MOST_TICKS)
    for tick, label in zip(ticks, tick_labels(ticks), strict=True):
        yield f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{down(tick):.1f}" y2="{down(tick):.1f}"/>'
        yield f'<text class="tick" x="{_LEFT - 8}" y="{down(tick) + 4:.1f}" text-anchor="end">{label}</text>'
    for minute in marked:
        left, right = across(minute), across(minute + 1)
        yield f'<rect class="marked" x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{bottom - top}"/>'
    yield from (f'<path class="{colour}" d="{path}"/>' for path in _paths(points, across, down))
    anomalous = set(marked)
    for minute, value in points:
        kind = "anomaly" if minute in anomalous else f"dot {colour}-dot"
        radius = 4.5 if minute in anomalous else 1.8
        yield f'<circle class="{kind}" cx="{across(minute + 0.5):.1f}" cy="{down(value):.1f}" r="{radius}"/>'


def _paths(points: list[Point], across: Scale, down: Scale) -> Iterator[str]:
    """Yield a path for each stretch of minutes; a minute without records interrupts the line."""
    path, before = "", None
    for minute, value in points:
        if path and minute - 1 != before:
            yield path
            path = ""
        path += f"{'L' if path else 'M'}{across(minute + 0.5):.1f} {down(value):.1f}"
        before = minute
    if path:
        yield path


def _times(report: HourReport, across: Scale) -> Iterator[str]:
    bottom = _PANELS[-1][1]
    for minute in range(0, _MINUTES + 1, _MINUTE_STEP):
        hour = report.begin.hour if minute < _MINUTES else (report.begin.hour + 1) % 24
        time = f"{hour:02d}:{minute % _MINUTES:02d}"
        anchor = "middle" if minute < _MINUTES else "end"
        yield f'<text class="tick" x="{across(minute):.1f}" y="{bottom + 20}" text-anchor="{anchor}">{time}</text>'
