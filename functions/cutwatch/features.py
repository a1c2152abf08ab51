"""Feature rows: what the forest sees of a series."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutwatch.series import Series


@dataclass(frozen=True, eq=False)
class FeatureRows:
    """`rows` (n, shingle size) and the epoch second of each row's newest datapoint (n,)."""

    rows: NDArray[np.float64]
    epochs: NDArray[np.int64]


def shingle(series: Series, size: int) -> FeatureRows:
    """One row per position whose last `size` datapoints are all known, oldest first.

    A row never spans a gap: values on both sides of it were not neighbours.
    """
    if len(series) < size:
        return FeatureRows(np.empty((0, size)), np.empty(0, dtype=np.int64))
    windows = np.lib.stride_tricks.sliding_window_view(series.values, size)
    complete = ~np.isnan(windows).any(axis=1)
    return FeatureRows(windows[complete], series.epochs[size - 1 :][complete])


def lead_in_periods(size: int) -> int:
    """How many datapoints before a window its first row needs."""
    return size - 1
