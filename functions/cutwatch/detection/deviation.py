"""How far an event is from what is usual, in the metric's own unit: what people ask to be spared of, and what they are told."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutwatch.detectors.detector import Detector
from cutwatch.features.recipe import FeatureRecipe, difference
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series


@dataclass(frozen=True)
class Deviation:
    """At the datapoint of an event that is furthest from the usual: value, usual value and range; what stood out."""

    epoch: int
    value: float
    expected: float
    low: float
    high: float
    driver: str

    @property
    def amount(self) -> float:
        """Signed, in the metric's unit."""
        return self.value - self.expected


def largest_deviation(
    series: Series, recipe: FeatureRecipe, first: int, last: int
) -> Deviation | None:
    """The furthest datapoint between two epoch seconds (both included); None if none was reported."""
    inside = (series.epochs >= first) & (series.epochs <= last) & ~series.missing
    if not inside.any():
        return None
    usual = recipe.profile.at(series.epochs[inside])
    values = series.values[inside]
    furthest = int(np.argmax(np.abs(values - usual)))
    expected = float(usual[furthest])
    return Deviation(
        epoch=int(series.epochs[inside][furthest]),
        value=float(values[furthest]),
        expected=expected,
        low=expected + recipe.profile.low,
        high=expected + recipe.profile.high,
        driver=_driver(series, recipe, inside, values - usual),
    )


def _driver(
    series: Series, recipe: FeatureRecipe, inside: NDArray[np.bool_], residuals: Floats
) -> str:
    """`level` or `change`: whichever is larger in units of its own spread in training."""
    if "difference" not in recipe.features:
        return "level"
    spreads = dict(zip(recipe.features, recipe.spreads, strict=True))
    changes = np.abs(difference(series)[inside]).max() / spreads["difference"]
    usual = max(recipe.profile.high - recipe.profile.low, 1e-12)
    return "change" if changes > np.abs(residuals).max() / usual else "level"


def is_worth_raising(
    deviation: Deviation | None, detector: Detector, recipe: FeatureRecipe
) -> bool:
    """Whether the detector's direction and minimum deviation, and the near-constant rule, let an event through.

    A near-constant metric must change by more than one unit, unless the detector sets an absolute minimum.
    """
    if deviation is None:
        return True
    amount = abs(deviation.amount)
    if detector.direction != "both" and (deviation.amount > 0) != (detector.direction == "above"):
        return False
    minimum = detector.minimum_deviation
    if minimum.absolute is None and recipe.unit and amount <= recipe.unit:
        return False
    if amount < (minimum.absolute or 0.0):
        return False
    return amount >= (minimum.relative or 0.0) * abs(deviation.expected)
