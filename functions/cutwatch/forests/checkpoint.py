"""The state of a learning forest: what a training makes, and each transform carries on.

A state is never changed where it lies: a transform reads the one named at its start and writes the next under another
key, so that a repeated transform scores and learns the same datapoints from the same state.
"""

import io
from dataclasses import dataclass
from typing import Self

import numpy as np

from cutwatch.errors import MalformedState
from cutwatch.features.recipe import FeatureRows
from cutwatch.forests.learning_forest import LearningForest
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.windows import LEAD_IN, LEAD_IN_DATAPOINTS

# Scores are remembered as long as they are the history of windows to come, and a day longer.
_REMEMBERED_SECONDS = int(LEAD_IN.total_seconds()) + 86_400
_REMEMBERED_ROWS = LEAD_IN_DATAPOINTS + 100


@dataclass(eq=False)
class ForestCheckpoint:
    """A forest, the epoch second before which it has learned everything, and the scores that it gave lately.

    `epochs` (n,) and `scores` (n, features) are in the order of time.
    """

    forest: LearningForest
    through: int
    epochs: Epochs
    scores: Floats

    @classmethod
    def untrained(cls, features: int, shingle_size: int, seed: int) -> Self:
        """Return a forest that has learned nothing; equal seeds and rows give equal scores."""
        forest = LearningForest.untrained(features, shingle_size, seed=seed)
        return cls(forest, 0, np.empty(0, np.int64), np.empty((0, features)))

    def score(self, made: FeatureRows, through: int) -> Floats:
        """Return the scores (n, features) of rows in the order of time; rows that are new, before `through`, are learned afterwards.

        A row that was scored before has the score it had then. One that arrives late, behind what has been learned, is
        scored as the forest stands, and not learned.
        """
        scores = np.full((len(made.rows), len(self.forest.forests)), np.nan)
        known = np.searchsorted(self.epochs, made.epochs)
        known[known == len(self.epochs)] = 0
        seen = self.epochs[known] == made.epochs if len(self.epochs) else np.zeros(len(known), bool)
        scores[seen] = self.scores[known[seen]]
        new = made.epochs >= self.through
        late = ~seen & ~new
        scores[late] = self.forest.score_only(made.rows[late])
        scores[new] = self.forest.score(made.rows[new])
        self._remember(made.epochs[new], scores[new], through)
        return scores

    def _remember(self, epochs: Epochs, scores: Floats, through: int) -> None:
        self.through = max(self.through, through)
        epochs = np.concatenate([self.epochs, epochs])
        recent = epochs >= self.through - _REMEMBERED_SECONDS
        recent[-_REMEMBERED_ROWS:] = True
        self.epochs = epochs[recent]
        self.scores = np.concatenate([self.scores, scores])[recent]

    def to_bytes(self) -> bytes:
        """Return an .npz of the forest's own bytes and the arrays; compressing it would take as long as scoring a week."""
        buffer = io.BytesIO()
        np.savez(
            buffer,
            allow_pickle=False,
            forest=np.frombuffer(self.forest.to_bytes(), np.uint8),
            through=np.int64(self.through),
            epochs=self.epochs,
            scores=self.scores,
        )
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read back what `to_bytes` wrote; raises `MalformedState` for anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                forest = LearningForest.from_bytes(stored["forest"].tobytes())
                state = cls(forest, int(stored["through"]), stored["epochs"], stored["scores"])
            state._check()
        except Exception as error:  # zipfile, numpy and the forest each have errors of their own
            raise MalformedState(f"not a checkpoint of a forest: {error}") from error
        return state

    def _check(self) -> None:
        """Scores are found by position: what does not lie side by side in the order of time would be another's."""
        if self.epochs.dtype != np.int64 or self.scores.dtype != np.float64:
            raise ValueError(f"epochs are {self.epochs.dtype}, scores {self.scores.dtype}")
        if self.scores.shape != (len(self.epochs), len(self.forest.forests)):
            raise ValueError(f"{self.epochs.shape} epochs for {self.scores.shape} scores")
        if not np.isfinite(self.scores).all() or not (np.diff(self.epochs) > 0).all():
            raise ValueError("scores are not finite, or epochs not ascending")
        if len(self.epochs) and self.epochs[-1] >= self.through:
            raise ValueError(f"an epoch lies behind {self.through}, where learning has got to")
