"""Unpredictable metrics: training and backtest name them, instead of silence."""

import numpy as np

from cutwatch.features.seasonality import DAY
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

# Datapoints are compared over a tenth of the history, in whole weeks, or over a day if it is short: a rhythm is not a walk.
_SHARE, _WEEK, _WEEKS_NEEDED = 10, 7 * DAY, 4
# The variance of a random walk grows with time: after n steps it is n times that of one step, as far as a short history
# shows; nine of ten that last a month. The labelled metrics of docs/detection.md stay below it.
_RANDOM_WALK = (0.3, 4.0)
# A metric that has one value at least half of the time has a usual one, like a status check that failed for hours.
_USUAL_SHARE = 0.5


def why_unpredictable(history: Series) -> str | None:
    """Return a sentence about a constant metric or a random walk; None about every other."""
    known = history.values[~history.missing]
    counts = np.unique(known, return_counts=True)[1]
    if len(counts) == 1:
        return "the metric never changed, so any change will be an anomaly"
    if len(counts) and counts.max() >= _USUAL_SHARE * len(known):
        return None
    least, most = _RANDOM_WALK
    if least <= _variance_ratio(history) <= most:
        return (
            "the metric wanders like a random walk, without a usual value: "
            "expect few events, and only for sudden changes"
        )
    return None


def _variance_ratio(history: Series) -> float:
    """Variance of changes over n positions, in n times that of one step; 0 if hardly anything is known."""
    weeks = len(history) * history.period / _WEEK
    seconds = max(int(weeks / _SHARE), 1) * _WEEK if weeks >= _WEEKS_NEEDED else DAY
    apart = max(seconds // history.period, 1)
    step, change = _size(np.diff(history.values)), _size(_changes(history.values, apart))
    return (change / step) ** 2 / apart if step else 0.0


def _changes(values: Floats, apart: int) -> Floats:
    return np.asarray(values[apart:] - values[:-apart])


def _size(changes: Floats) -> float:
    known = changes[~np.isnan(changes)]
    return float(np.mean(np.abs(known - np.median(known)))) if len(known) else 0.0
