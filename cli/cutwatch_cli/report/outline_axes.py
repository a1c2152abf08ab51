"""Axes of a chart's outline: evenly written values and times, at their places in percent."""

from collections.abc import Iterator

from cutwatch.widget.axes import time_ticks, value_ticks
from cutwatch.wording import tick_labels
from cutwatch_cli.report.detector_report import DetectorReport

# Few enough that their labels fit next to each other on a phone.
_MOST_TIMES, _LAST_TIME = 5, 92.0

Tick = tuple[float, str]


def value_axis(lowest: float, highest: float, most: int) -> list[Tick]:
    """Return labelled values with their distances from the top edge, in percent of the height."""
    ticks = value_ticks(lowest, highest, most)
    places = (round(100 * (highest - tick) / (highest - lowest), 1) for tick in ticks)
    return list(zip(places, tick_labels(ticks), strict=True))


def time_axis(report: DetectorReport) -> list[Tick]:
    """Return labelled times with their distances from the left edge, in percent of the width."""
    return list(_times(report))


def _times(report: DetectorReport) -> Iterator[Tick]:
    length = report.end - report.start
    for time, label in time_ticks(report.start, report.end, report.zone, _MOST_TIMES):
        place = round(100 * ((time - report.start) / length), 1)
        if place <= _LAST_TIME:
            yield place, label
