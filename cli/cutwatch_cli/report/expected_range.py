"""Expected values of a metric in its windows, computed as the transforms compute them."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch.features.expectation import expect
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import lead_in_start
from cutwatch_cli.report.detector_report import Expected


def expected_in_windows(series: Series, detector: Detector, starts: Sequence[datetime]) -> Expected:
    """Return the expectation on the grid of a series, for the windows from each of `starts`, ascending, to the next."""
    expected = Expected(*(np.full(len(series), np.nan) for _ in range(3)))
    for start, end in pairwise([*starts, series.end]):
        _judge_window(series, detector, start, end, expected)
    return expected


def _judge_window(
    series: Series, detector: Detector, start: datetime, end: datetime, expected: Expected
) -> None:
    origin, period = int(series.start.timestamp()), series.period
    bounds = (lead_in_start(period, start), start, end)
    first, begins, last = (
        min(max((int(moment.timestamp()) - origin) // period, 0), len(series)) for moment in bounds
    )
    if begins >= last:
        return
    part = Series(series.time_at(first), period, series.values[first:last]).from_first()
    found = expect(part.usable(detector), int(start.timestamp()), detector.time_zone)
    known = min(last - begins, len(part))
    for column, values in (
        (expected.values, found.values),
        (expected.low, found.low),
        (expected.high, found.high),
    ):
        column[last - known : last] = values[len(values) - known :]
