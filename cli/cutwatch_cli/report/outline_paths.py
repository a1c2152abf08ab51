"""Paths of a chart's outline through the extremes of each column."""

import numpy as np

from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.report.detector_report import stretches

WIDTH, METRIC_HEIGHT, SCORE_HEIGHT = 720, 160, 80
_COLUMNS = 360

# Coordinates as they are written.
_Point = tuple[str, str]


def line(values: Floats, bottom: float, top: float, height: int) -> str:
    """Draw through the lowest and the highest of each column at their own times; a column without values is a gap."""
    columns = _columns(len(values))
    width = WIDTH / len(values)
    runs: list[list[_Point]] = []
    before = -2
    for column, *positions in _extreme_positions(values, columns):
        if column != before + 1:
            runs.append([])
        runs[-1] += [
            (_n((each + 0.5) * width), _n(_y(float(values[each]), bottom, top, height)))
            for each in sorted(set(positions))
        ]
        before = column
    return "".join(map(_drawn, runs))


def _drawn(run: list[_Point]) -> str:
    """Draw a run without the points inside of level stretches."""
    inner = zip(run, run[1:], run[2:], strict=False)
    corners = [here for before, here, after in inner if not before[1] == here[1] == after[1]]
    # A line of no length has round ends, so that a value between two gaps can be seen.
    end = run[-1:] if len(run) > 1 else []
    path = " ".join(f"{x} {y}" for x, y in [run[0], *corners, *end])
    return f"M{path}" if end else f"M{path}h0"


def _extreme_positions(values: Floats, columns: int) -> list[tuple[int, int, int]]:
    """Return each column that has a value, with the positions of its lowest and its highest."""
    known = np.flatnonzero(np.isfinite(values))
    if not known.size:
        return []
    of_values = known * columns // len(values)
    firsts = np.flatnonzero(np.diff(of_values, prepend=-1))
    # Sorted by column and then by value, a column's extremes are its first and its last.
    ordered = known[np.lexsort((values[known], of_values))]
    lowest, highest = ordered[firsts], ordered[np.append(firsts[1:], known.size) - 1]
    highest = np.where(values[lowest] == values[highest], lowest, highest)
    return list(zip(of_values[firsts].tolist(), lowest.tolist(), highest.tolist(), strict=True))


def area(low: Floats, high: Floats, bottom: float, top: float) -> str:
    """Draw around the lowest lower and the highest upper edge of each column; a column without edges is a gap."""
    columns = _columns(len(low))
    below = {column: lowest for column, lowest, _ in extremes(low, columns)}
    above = {column: highest for column, _, highest in extremes(high, columns)}
    runs = stretches(np.isin(np.arange(columns), list(below)))
    return "".join(_ring(range(*run), below, above, bottom, top, columns) for run in runs)


def _ring(
    run: range,
    below: dict[int, float],
    above: dict[int, float],
    bottom: float,
    top: float,
    columns: int,
) -> str:
    edge = [(column, above[column]) for column in run]
    edge += [(column, below[column]) for column in reversed(run)]
    points = (
        f"{_n((column + 0.5) * WIDTH / columns)} {_n(_y(value, bottom, top, METRIC_HEIGHT))}"
        for column, value in edge
    )
    return f"M{'L'.join(points)}Z"


def extremes(values: Floats, columns: int = _COLUMNS) -> list[tuple[int, float, float]]:
    """Return column, lowest and highest value of each column that has a datapoint."""
    return [
        (column, float(values[lowest]), float(values[highest]))
        for column, lowest, highest in _extreme_positions(values, columns)
    ]


def _y(value: float, bottom: float, top: float, height: int) -> float:
    return height * (1 - (value - bottom) / (top - bottom))


def _columns(count: int) -> int:
    return min(_COLUMNS, count)


def _n(number: float) -> str:
    """Format a coordinate in tenths, finer than a printer's dots."""
    return f"{number:.1f}".removesuffix(".0")
