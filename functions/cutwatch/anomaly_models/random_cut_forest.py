"""Random Cut Forest that learns: AWS's own, in Rust."""

import numpy as np
from krcf import RandomCutForest

from cutwatch.anomaly_models import model_file
from cutwatch.anomaly_models.forest_options import forest_options
from cutwatch.anomaly_models.model import Rows
from cutwatch.detectors.stream import ForestSettings
from cutwatch.errors import MalformedState
from cutwatch.timeseries.arrays import Floats

KIND = "random_cut_forest"


class ForestModel:
    """Forest over single rows. Missing values are 0, the mean of standardised columns."""

    def __init__(self, forest: RandomCutForest, learned: int = 0) -> None:
        self.forest = forest
        self.learned = learned

    @classmethod
    def untrained(cls, settings: ForestSettings, columns: int, seed: int) -> "ForestModel":
        """Return a forest that has learned nothing; the seed decides its random numbers."""
        return cls(RandomCutForest(forest_options(settings, columns, seed)))

    def score(self, rows: Rows) -> Floats:
        """Return the scores (n,); 0 during the warm-up."""
        return np.array([self.forest.score(row) for row in _present(rows)], np.float64)

    def contributions(self, rows: Rows) -> Floats:
        """Return the attributions of the scores (n, d), negative for values that are too low."""
        found = [self.forest.attribution(row) for row in _present(rows)]
        high, low = (
            np.array([each[side] for each in found], np.float64) for side in ("high", "low")
        )
        signed: Floats = np.where(high >= low, 1.0, -1.0) * (high + low)
        return signed

    def learn(self, rows: Rows) -> None:
        """Learn the rows."""
        for row in _present(rows):
            self.forest.update(row)
        self.learned += len(rows.times)

    def to_bytes(self) -> bytes:
        """Return the forest in the form that `from_bytes` reads."""
        content = bytes(self.forest.to_msgpack())
        return model_file.to_bytes(KIND, {"learned": self.learned}, [content])

    @classmethod
    def from_bytes(cls, content: bytes) -> "ForestModel":
        """Read back what `to_bytes` returned. Raises `MalformedState`."""
        header, [forest] = model_file.from_bytes(KIND, content)
        try:
            return cls(RandomCutForest.from_msgpack(forest), header["learned"])
        except Exception as error:  # the library raises errors of its own
            raise MalformedState(f"not a forest: {error}") from error


def _present(rows: Rows) -> list[list[float]]:
    present: list[list[float]] = np.nan_to_num(rows.values, nan=0.0).tolist()
    return present
