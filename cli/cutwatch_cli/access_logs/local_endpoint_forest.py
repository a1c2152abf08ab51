"""The forest of an endpoint on this machine, to compare it with the other models of logs."""

import numpy as np

from cutwatch.anomaly_models.model import Rows
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.backtest.static_forest import StaticForest


class LocalEndpointForest:
    """Static forest as SageMaker's built-in algorithm has it, 50 trees x 256. Missing values are 0, as an endpoint gets them."""

    def __init__(self, forest: StaticForest) -> None:
        self._forest = forest

    @classmethod
    def trained(cls, rows: Rows, seed: int) -> "LocalEndpointForest":
        """Return the forest of rows, at least one."""
        return cls(StaticForest.train(_present(rows), seed=seed))

    def score(self, rows: Rows) -> Floats:
        """Return the scores (n,)."""
        return self._forest.score(_present(rows))

    def contributions(self, rows: Rows) -> Floats:
        """Return zeros (n, d): an endpoint does not explain its scores."""
        return np.zeros_like(rows.values)

    def learn(self, rows: Rows) -> None:
        """Change nothing: the forest is static."""

    def to_bytes(self) -> bytes:
        """Return the forest in the form that `from_bytes` reads."""
        return self._forest.to_bytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> "LocalEndpointForest":
        """Read back what `to_bytes` returned."""
        return cls(StaticForest.from_bytes(content))


def _present(rows: Rows) -> Floats:
    return np.nan_to_num(rows.values, nan=0.0)
