"""The expected range behind a metric, as one band over the time of the chart."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import groupby, pairwise

from cutwatch.detection.band import BandPoint, ExpectedBand
from cutwatch.detectors.detector import Detector
from cutwatch.widget.layout import Graph, Panel
from cutwatch.widget.paths import thinned
from cutwatch.wording import span_in_words

_OPACITY, _EDGE_OPACITY = 0.2, 0.45
# Closer points cannot be told apart.
_PIXELS_APART = 2


def shown_points(
    bands: Sequence[ExpectedBand], start: float, end: float, factor: float = 1.0
) -> list[list[BandPoint]]:
    """Return runs of adjacent points, each in the middle of its time, cut at the ends of a time range.

    Values are multiplied by a factor.
    """
    runs = (_cut(run, start, end) for run in _runs(bands))
    return [[_grown(point, factor) for point in run] for run in runs if len(run) > 1]


def band_label(detector: Detector, period: int) -> str:
    """Explain the band; in a chart of a longer period, how it relates to the detector's own."""
    if period == detector.period:
        return "band: 90 % range, with the expected value as a dashed line"
    own, growth = span_in_words(timedelta(seconds=detector.period)), detector.growth(period)
    factor = f", times {growth:g}" if growth and growth != 1 else ""
    return f"band: 90 % range of {own}{factor}, with the expected value as a dashed line"


def drawn_range(graph: Graph, metric: Panel) -> Iterator[str]:
    """Draw the range as an area, to be covered by the metric."""
    for run in graph.expected:
        points = list(_outlined(run, metric))
        upper = [f"{metric.x(each.time):.1f} {metric.y(each.high):.1f}" for each in points]
        lower = [f"{metric.x(each.time):.1f} {metric.y(each.low):.1f}" for each in points]
        yield (
            f'<path class="band" d="M{"L".join([*upper, *lower[::-1]])}Z" fill="{graph.colours.reference}" '
            f'fill-opacity="{_OPACITY}" stroke="{graph.colours.reference}" stroke-opacity="{_EDGE_OPACITY}"/>'
        )


def drawn_expectation(graph: Graph, metric: Panel) -> Iterator[str]:
    """Draw the expected value as a line, to cover the metric."""
    for run in graph.expected:
        points = thinned([(point.time, point.expected) for point in run], metric.x)
        line = [f"{metric.x(time):.1f} {metric.y(value):.1f}" for time, value in points]
        yield (
            f'<path class="expected-line" d="M{"L".join(line)}" fill="none" '
            f'stroke="{graph.colours.reference}" stroke-width="1.25" stroke-dasharray="4 3"/>'
        )


def _outlined(run: Sequence[BandPoint], metric: Panel) -> Iterator[BandPoint]:
    """Yield the points, or the extremes of those that are too close to be distinguished."""
    for _, column in groupby(run, key=lambda each: int(metric.x(each.time) // _PIXELS_APART)):
        points = list(column)
        low, high = min(each.low for each in points), max(each.high for each in points)
        for each in {points[0].time: points[0], points[-1].time: points[-1]}.values():
            yield BandPoint(each.time, low, each.expected, high)


def _grown(point: BandPoint, factor: float) -> BandPoint:
    return BandPoint(
        point.time, *(factor * each for each in (point.low, point.expected, point.high))
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
