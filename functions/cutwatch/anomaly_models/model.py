"""The interface of anomaly models, and the rows that they score."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, Self

import numpy as np

from cutwatch.timeseries.arrays import Floats


class Rows(NamedTuple):
    """Rows in the order of time: `times` (n,) in epoch seconds, `values` (n, d). NaN is a missing value."""

    times: Floats
    values: Floats

    def between(self, start: int, end: int) -> "Rows":
        """Return the rows from a number up to another, exclusive."""
        return Rows(self.times[start:end], self.values[start:end])

    def one_by_one(self) -> Iterator["Rows"]:
        """Yield each row on its own."""
        for number in range(len(self.times)):
            yield self.between(number, number + 1)


class AnomalyModel(Protocol):
    """A model of one key's rows.

    Scores of consecutive rows do not depend on whether they are scored together or one by one, if no row is learned
    between.
    """

    def score(self, rows: Rows) -> Floats:
        """Return the scores (n,) of the next rows, higher for more anomalous ones; the model stays as it is."""

    def contributions(self, rows: Rows) -> Floats:
        """Return how much each column adds to the scores of the next rows (n, d), negative for values below the expected ones."""

    def learn(self, rows: Rows) -> None:
        """Take the next rows into the model."""

    def to_bytes(self) -> bytes:
        """Return the model in the form that `from_bytes` reads."""

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read back what `to_bytes` returned. Raises `MalformedState`."""


def score_and_learn(model: AnomalyModel, rows: Rows) -> Floats:
    """Return the score of each row (n,) before the model learned it."""
    scores = []
    for row in rows.one_by_one():
        scores.append(model.score(row))
        model.learn(row)
    return np.concatenate(scores or [np.empty(0)])
