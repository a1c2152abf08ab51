"""A detector's chart as plain SVG paths, for print, for browsers without JavaScript, and until the chart is drawn.

A column of the picture holds many datapoints. It is drawn from its lowest to its highest, so no peak is lost, and an
event is never too narrow to be visible.
"""

from dataclasses import dataclass

import numpy as np

from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.report.detector_report import (
    DetectorReport,
    Flags,
    severity_rank,
    stretches,
)
from cutwatch_cli.report.outline_paths import METRIC_HEIGHT, SCORE_HEIGHT, WIDTH, area, line

_NARROWEST = 2.0
_MARGIN = 0.06
_NUMBER_SPACING = 3.0  # percent of the width; a badge is 2.6 on paper

Rectangle = tuple[float, float]  # x and width


@dataclass(frozen=True)
class Outline:
    """Paths and rectangles in a box of `WIDTH` by `METRIC_HEIGHT` and `SCORE_HEIGHT`, and the values at its edges.

    `numbers` are event numbers and their positions, in percent of the width.
    """

    metric: str
    anomalous_metric: str
    expected: str
    expected_line: str
    score: str
    cutoff: str
    anomalous: list[Rectangle]
    events: list[Rectangle]
    numbers: list[tuple[int, float]]
    planted: list[Rectangle]
    unscored: list[Rectangle]
    unreadable: list[Rectangle]
    missing: list[Rectangle]
    trained: list[float]
    lowest: float
    highest: float
    highest_score: float


def outline(report: DetectorReport) -> Outline:
    """Outline the whole time of a report, which must not be empty."""
    middle, low, high = _edges(report)
    bottom, top = _range(np.concatenate([report.value_array, low, high]))
    cutoffs = _cutoffs(report)
    _, highest = _range(np.concatenate([report.score_array, cutoffs, [0.0]]))
    return Outline(
        metric=line(report.value_array, bottom, top, METRIC_HEIGHT),
        anomalous_metric=line(
            np.where(report.anomalous, report.value_array, np.nan), bottom, top, METRIC_HEIGHT
        ),
        expected_line=line(middle, bottom, top, METRIC_HEIGHT),
        expected=area(low, high, bottom, top),
        score=line(report.score_array, 0.0, highest, SCORE_HEIGHT),
        cutoff=line(cutoffs, 0.0, highest, SCORE_HEIGHT),
        anomalous=_rectangles(report, _times_of(report, report.anomalous)),
        events=_rectangles(report, [_seconds(event.begins, event.ends) for event in report.events]),
        numbers=_numbers(report),
        unscored=_rectangles(report, _times_of(report, report.unscored)),
        unreadable=_rectangles(report, _times_of(report, report.unreadable)),
        missing=_rectangles(report, _times_of(report, report.missing)),
        planted=_rectangles(report, [_seconds(*window[:2]) for window in report.planted]),
        trained=[x for time in report.trained_until if (x := _x(report, time.timestamp())) >= 0],
        lowest=bottom,
        highest=top,
        highest_score=highest,
    )


def _edges(report: DetectorReport) -> tuple[Floats, Floats, Floats]:
    if report.expected is None:
        return (np.full(len(report.epochs), np.nan),) * 3
    return report.expected.values, report.expected.low, report.expected.high


def _cutoffs(report: DetectorReport) -> Floats:
    cutoffs = np.full(len(report.epochs), np.nan)
    for since, cutoff in report.cutoffs:
        cutoffs[report.epochs >= int(since.timestamp())] = cutoff
    return cutoffs


def _range(values: Floats) -> tuple[float, float]:
    """Return the range of the axis; it starts at zero if that costs little height."""
    known = values[np.isfinite(values)]
    lowest, highest = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    margin = _MARGIN * ((highest - lowest) or abs(highest) or 1.0)
    bottom = 0.0 if 0 <= lowest <= 0.4 * highest else lowest - margin
    return bottom, highest + margin


def _numbers(report: DetectorReport) -> list[tuple[int, float]]:
    """Place the event numbers; where there is not enough room, the most severe win."""
    numbered = sorted(enumerate(report.events, start=1), key=lambda each: -severity_rank(each[1]))
    taken: list[tuple[int, float]] = []
    for number, event in numbered:
        first, last = _seconds(event.begins, event.ends)
        share = _x(report, min(max((first + last) / 2, report.epochs[0]), report.epochs[-1]))
        place = round(share / WIDTH * 100, 1)
        if all(abs(place - other) >= _NUMBER_SPACING for _, other in taken):
            taken.append((number, place))
    return taken


def _rectangles(report: DetectorReport, spans: list[tuple[float, float]]) -> list[Rectangle]:
    edges = [tuple(min(max(_x(report, s), 0.0), WIDTH) for s in span) for span in spans]
    return [
        (round(first, 1), round(max(last - first, _NARROWEST), 1))
        for first, last in edges
        if first < WIDTH and last > 0
    ]


def _times_of(report: DetectorReport, flags: Flags) -> list[tuple[float, float]]:
    period = report.period_seconds
    return [
        (float(report.epochs[first]), float(report.epochs[end - 1]) + period)
        for first, end in stretches(flags)
    ]


def _seconds(*times: object) -> tuple[float, float]:
    first, last = (time.timestamp() for time in times)  # type: ignore[attr-defined]
    return first, last


def _x(report: DetectorReport, seconds: float) -> float:
    share = (seconds - int(report.epochs[0])) / (len(report.epochs) * report.period_seconds)
    return round(share * WIDTH, 1)
