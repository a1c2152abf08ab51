"""The history of a series, by which its scores and statistics are standardised."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.parameters import DAY, HOUR, ThresholdParameters
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

Flags = NDArray[np.bool_]

_LONGEST_SMOOTHING = 3 * HOUR


@dataclass(frozen=True, eq=False)
class Baseline:
    """The positions of `history` (n,) in a series."""

    series: Series
    history: Flags
    parameters: ThresholdParameters

    @property
    def smoothing(self) -> int:
        """The number of datapoints whose scores are averaged."""
        return min(self.parameters.smoothing, max(_LONGEST_SMOOTHING // self.series.period, 1))

    @cached_property
    def shortage(self) -> float:
        """`mature_days` divided by the length of the history since the first datapoint; at least 1."""
        epochs, period = self.series.epochs, self.series.period
        known = np.flatnonzero(self.history & ~self.series.missing)
        if not len(known):
            return 1.0
        seen = int(epochs[self.history][-1] - epochs[known[0]]) + period
        return max(self.parameters.mature_days * DAY / seen, 1.0)

    def standardised(self, scores: Floats, trimmed: float) -> Floats:
        """Return the deviations (n,) by which the latest scores of each position exceed those of the history."""
        parameters = self.parameters
        past = scores[self.history & ~np.isnan(scores)][-parameters.baseline_datapoints :]
        if not len(past):
            return np.full(len(scores), np.nan)
        kept = past[past <= np.quantile(past, 1 - trimmed)]
        deviation = float(np.std(kept)) + parameters.deviation_floor
        return (mean_of_last(scores, self.smoothing) - float(np.mean(kept))) / deviation

    def by_tail(self, statistic: Floats) -> Floats:
        """Return a statistic (n,) divided by 1 + its tail in the history."""
        past = statistic[self.history & ~np.isnan(statistic)]
        tail = float(np.quantile(past, self.parameters.tail)) if len(past) else 0.0
        return statistic / (1 + tail)


def mean_of_last(values: Floats, size: int) -> Floats:
    """Return the mean (n,) of the last `size` known values at each known position; NaN where nothing is known."""
    known = np.flatnonzero(~np.isnan(values))
    sums = np.concatenate([[0.0], np.cumsum(values[known])])
    ends = np.arange(1, len(known) + 1)
    starts = np.maximum(ends - size, 0)
    result = np.full(len(values), np.nan)
    result[known] = (sums[ends] - sums[starts]) / (ends - starts)
    return result
