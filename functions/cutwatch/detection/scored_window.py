"""A window of anomaly scores."""

from dataclasses import dataclass

import numpy as np

from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series


@dataclass(frozen=True, eq=False)
class ScoredWindow:
    """Scores (n, k) of the rows at epoch seconds `epochs` (n,), ascending, and the series that they were made of.

    `observed` is the series as CloudWatch had it, gaps as NaN. Datapoints before epoch second `start` are the history of
    the window.
    """

    epochs: Epochs
    scores: Floats
    observed: Series
    start: int

    def positions(self, epochs: Epochs) -> Epochs:
        """Return the positions in the series of epoch seconds (n,)."""
        first = int(self.observed.start.timestamp())
        positions: Epochs = (epochs - first) // self.observed.period
        return positions

    def on_grid(self, scores: Floats) -> Floats:
        """Return one score per row (n,) on the grid of the series, NaN where there is no row."""
        grid = np.full(len(self.observed), np.nan)
        grid[self.positions(self.epochs)] = scores
        return grid
