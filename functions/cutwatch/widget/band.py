"""The expected range behind a metric, as one band over the time of the chart."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from cutwatch.detection.band import BandPoint, ExpectedBand
from cutwatch.widget.layout import Graph, Panel

_OPACITY = 0.16
# Closer points cannot be told apart.
_PIXELS_APART = 2


def shown_points(bands: Sequence[ExpectedBand], start: float, end: float) -> list[list[BandPoint]]:
    """Return runs of adjacent points, each in the middle of its time, cut at the ends of a time range."""
    runs = (_cut(run, start, end) for run in _runs(bands))
    return [run for run in runs if len(run) > 1]


def drawn_band(graph: Graph, metric: Panel) -> Iterator[str]:
    """Draw the range as an area and the expected value as a line."""
    colour = graph.colours.reference
    for run in graph.expected:
        most = max(int((metric.x.last - metric.x.first) // _PIXELS_APART), 2)
        points = [*run[:: max(len(run) // most, 1)], run[-1]]
        upper = [f"{metric.x(each.time):.1f} {metric.y(each.high):.1f}" for each in points]
        lower = [f"{metric.x(each.time):.1f} {metric.y(each.low):.1f}" for each in points]
        middle = [f"{metric.x(each.time):.1f} {metric.y(each.expected):.1f}" for each in points]
        yield (
            f'<path class="band" d="M{"L".join([*upper, *lower[::-1]])}Z" fill="{colour}" '
            f'fill-opacity="{_OPACITY}"/><path class="expected-line" d="M{"L".join(middle)}" fill="none" '
            f'stroke="{colour}" stroke-dasharray="4 3"/>'
        )


def _runs(bands: Sequence[ExpectedBand]) -> Iterator[list[BandPoint]]:
    """Yield runs of points, which end where nothing was expected for a step; a run reaches to its last point's end."""
    steps = [(point, band.step) for band in bands for point in band.points]
    run: list[BandPoint] = []
    for position, (point, step) in enumerate(steps):
        if not run:
            run.append(point)
        run.append(_moved(point, point.time + step // 2))
        after = steps[position + 1][0].time if position + 1 < len(steps) else None
        if after is None or after > point.time + step:
            yield [*run, _moved(point, point.time + step)]
            run = []


def _moved(point: BandPoint, time: int) -> BandPoint:
    return BandPoint(time, point.low, point.expected, point.high)


def _cut(run: Sequence[BandPoint], start: float, end: float) -> list[BandPoint]:
    inside = [point for point in run if start <= point.time <= end]
    edges = [
        _between(before, after, int(edge))
        for before, after in pairwise(run)
        for edge in (start, end)
        if before.time < edge < after.time
    ]
    return sorted([*inside, *edges], key=lambda point: point.time)


def _between(before: BandPoint, after: BandPoint, time: int) -> BandPoint:
    share = (time - before.time) / (after.time - before.time)
    low, expected, high = (
        first + share * (last - first)
        for first, last in (
            (before.low, after.low),
            (before.expected, after.expected),
            (before.high, after.high),
        )
    )
    return BandPoint(time, low, expected, high)
