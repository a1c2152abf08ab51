"""The deviation of an event from its expected value, in the metric's own unit."""

from dataclasses import dataclass

import numpy as np

from cutwatch.detectors.detector import Detector
from cutwatch.features.expectation import Expectation
from cutwatch.timeseries.series import Series


@dataclass(frozen=True)
class Deviation:
    """At the datapoint of an event that is furthest from the expected: value, expected value and range."""

    epoch: int
    value: float
    expected: float
    low: float
    high: float

    @property
    def amount(self) -> float:
        """Signed, in the metric's unit."""
        return self.value - self.expected


def largest_deviation(
    series: Series, expectation: Expectation, first: int, last: int
) -> Deviation | None:
    """Return the furthest datapoint between two epoch seconds (both included); None if nothing is known there."""
    inside = (series.epochs >= first) & (series.epochs <= last)
    sizes = np.where(inside, np.abs(expectation.residuals), np.nan)
    if np.isnan(sizes).all():
        return None
    furthest = int(np.nanargmax(sizes))
    return Deviation(
        epoch=int(series.epochs[furthest]),
        value=float(series.values[furthest]),
        expected=float(expectation.values[furthest]),
        low=float(expectation.low[furthest]),
        high=float(expectation.high[furthest]),
    )


def is_worth_raising(deviation: Deviation | None, detector: Detector) -> bool:
    """Return True if the detector's direction and minimum deviation admit an event."""
    if deviation is None:
        return True
    amount = abs(deviation.amount)
    if detector.direction != "both" and (deviation.amount > 0) != (detector.direction == "above"):
        return False
    minimum = detector.minimum_deviation
    if amount < (minimum.absolute or 0.0):
        return False
    return amount >= (minimum.relative or 0.0) * abs(deviation.expected)
