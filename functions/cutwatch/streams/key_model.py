"""A trained model as that of one key: it takes the place of the key's forest."""

from collections.abc import Sequence

import numpy as np

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.anomaly_models.model import Rows
from cutwatch.streams.forest import Attribution


class KeyModel:
    """A key's copy of a trained model. It scores from the first row on."""

    __slots__ = ("_fitted", "learned")

    def __init__(self, fitted: FittedModel, learned: int) -> None:
        self._fitted = fitted
        self.learned = learned

    def shingled(self, row: tuple[float, ...]) -> tuple[float, ...]:
        """Return the row: only forests have shingles."""
        return row

    def score(self, row: Sequence[float], time: float) -> float:
        """Return the score of a row at an epoch second; 0 if every value is missing."""
        return float(np.nan_to_num(self._fitted.model.score(_row(row, time)))[0])

    def learn(self, row: Sequence[float], time: float) -> None:
        """Take a row into the model, if it learns."""
        self._fitted.model.learn(_row(row, time))
        self.learned += 1

    def attribute(self, row: Sequence[float], time: float) -> tuple[Attribution, ...]:
        """Return the parts of a row's score that its columns have; they add up to it."""
        signed = np.nan_to_num(self._fitted.model.contributions(_row(row, time))[0])
        total = float(np.abs(signed).sum()) or 1.0
        score = self.score(row, time)
        return tuple(
            Attribution(abs(each) / total * score, "above" if each >= 0 else "below")
            for each in signed.tolist()
        )

    def to_parts(self) -> tuple[bytes, list[float]]:
        """Return the model's bytes; there are no latest rows to keep."""
        return self._fitted.to_bytes(), []

    @classmethod
    def from_parts(cls, content: bytes, learned: int) -> "KeyModel":
        """Read back what `to_parts` returned."""
        return cls(FittedModel.from_bytes(content), learned)


def _row(row: Sequence[float], time: float) -> Rows:
    return Rows(np.array([time], np.float64), np.array([row], np.float64))
