"""The expected range along a window, coarse enough to be stored for a chart."""

import numpy as np

from cutwatch.detection.band import BandPoint, ExpectedBand
from cutwatch.detection.parameters import HOUR
from cutwatch.features.expectation import Expectation
from cutwatch.timeseries.series import Series


def expected_band(series: Series, expectation: Expectation, start: int) -> ExpectedBand:
    """Return the band from epoch second `start` on, a point for each hour or period, whichever is longer."""
    step = max(HOUR // series.period, 1) * series.period
    columns = np.stack([expectation.low, expectation.values, expectation.high])
    known = (series.epochs >= start) & np.isfinite(columns).all(axis=0)
    hours, places = np.unique(series.epochs[known] // step, return_inverse=True)
    counts = np.bincount(places, minlength=len(hours))
    low, expected, high = (
        np.bincount(places, weights=column[known] / counts[places], minlength=len(hours))
        for column in columns
    )
    points = zip(
        (hours * step).tolist(), low.tolist(), expected.tolist(), high.tolist(), strict=True
    )
    return ExpectedBand(step, tuple(BandPoint(*point) for point in points))
