"""A window of anomaly scores."""

from dataclasses import dataclass

from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series


@dataclass(frozen=True, eq=False)
class ScoredWindow:
    """Scores (n,) of the rows at epoch seconds `epochs` (n,), ascending, and the series that they were made of.

    `observed` is the series as CloudWatch had it, gaps as NaN. Rows before epoch second `start` are lead-in: they
    give detection context. If the window `follows` a published one, detection also classifies the end of that one
    again, because its peaks could not be compared with what came after them.
    """

    epochs: Epochs
    scores: Floats
    observed: Series
    start: int
    follows: bool = False
