"""A row as the model of its key sees it."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cutwatch.streams.forest import KeyForest
    from cutwatch.streams.key_model import KeyModel


class Measured(NamedTuple):
    """Score and severity of a row, and the model with the shingle that they are of."""

    score: float
    severity: float
    forest: "KeyForest | KeyModel"
    shingle: tuple[float, ...]
