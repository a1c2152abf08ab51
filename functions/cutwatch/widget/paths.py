"""Datapoints as SVG paths: gaps stay gaps, and every pixel keeps its extremes."""

from collections.abc import Callable, Iterator
from itertools import groupby

from cutwatch.widget.chart_data import Points

Position = Callable[[float], float]


def segments(points: Points, period: int) -> Iterator[Points]:
    """Yield runs of adjacent points; a period without a datapoint ends a run."""
    run: Points = []
    for point in points:
        if run and point[0] - run[-1][0] > period:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def thinned(points: Points, x: Position) -> Points:
    """Keep the first, lowest, highest and last of the points of each pixel."""
    columns = groupby(points, key=lambda point: int(x(point[0])))
    return [point for _, column in columns for point in _outline(list(column))]


def _outline(column: Points) -> Points:
    if len(column) <= 1:
        return column
    lowest = min(column, key=lambda point: point[1])
    highest = max(column, key=lambda point: point[1])
    return sorted({column[0], lowest, highest, column[-1]})


def line(points: Points, period: int, x: Position, y: Position) -> tuple[str, str]:
    """Return the `d` of a path through all runs, and of a path of dots for isolated points."""
    paths: list[str] = []
    alone: dict[str, None] = {}
    for run in segments(points, period):
        if len(run) == 1:
            [(time, value)] = run
            alone[f"M{x(time):.0f} {y(value):.0f}h0"] = None
        else:
            marks = (f"{x(time):.1f} {y(value):.1f}" for time, value in thinned(run, x))
            paths.append("M" + "L".join(marks))
    return "".join(paths), "".join(alone)
