"""Checkpoints of a learning forest: written by a training, continued by each transform.

A checkpoint is immutable: a transform reads the one in its dataset's description and writes the next under another key,
so a repeated transform scores and learns the same datapoints from the same checkpoint.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from cutwatch.detectors.detector import Feature
from cutwatch.errors import MalformedState
from cutwatch.features.recipe import FeatureRows
from cutwatch.forests.learning_forest import LearningForest
from cutwatch.timeseries.arrays import Epochs, Floats

# Recent scores are kept for the lead-in of detection, whatever the interval between transforms.
_REMEMBERED_SECONDS = 15 * 86_400


@dataclass(eq=False)
class ForestCheckpoint:
    """A forest, the epoch second before which it has learned everything, and its recent scores.

    `epochs` and `scores` (n,) are in order of time.
    """

    forest: LearningForest
    through: int
    epochs: Epochs
    scores: Floats

    @classmethod
    def untrained(cls, features: Sequence[Feature], shingle_size: int, seed: int) -> Self:
        """Return an untrained forest; equal seeds and rows give equal scores."""
        forest = LearningForest.untrained(features, shingle_size, seed=seed)
        return cls(forest, 0, np.empty(0, np.int64), np.empty(0))

    def score(self, made: FeatureRows, through: int) -> Floats:
        """Return the scores (n,) of rows in order of time, and learn the new rows, all before epoch second `through`.

        A row that was scored before keeps its score. A row that arrives after later rows were learned is scored by the
        present forest and not learned.
        """
        scores = np.full(len(made.rows), np.nan)
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
        self.epochs = epochs[recent]
        self.scores = np.concatenate([self.scores, scores])[recent]

    def to_bytes(self) -> bytes:
        """Return an .npz of the forest's bytes and the arrays, uncompressed: compression takes as long as scoring a week."""
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
        """Read the bytes that `to_bytes` wrote. Raises `MalformedState` for anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                forest = LearningForest.from_bytes(stored["forest"].tobytes())
                state = cls(forest, int(stored["through"]), stored["epochs"], stored["scores"])
            state._check()
        except Exception as error:  # zipfile, numpy and the forest each have errors of their own
            raise MalformedState(f"not a checkpoint of a forest: {error}") from error
        return state

    def _check(self) -> None:
        """Check that epochs and scores belong together: scores are found by position."""
        if self.epochs.dtype != np.int64 or self.scores.dtype != np.float64:
            raise ValueError(f"epochs are {self.epochs.dtype}, scores {self.scores.dtype}")
        if self.epochs.ndim != 1 or self.epochs.shape != self.scores.shape:
            raise ValueError(f"{self.epochs.shape} epochs for {self.scores.shape} scores")
        if not np.isfinite(self.scores).all() or not (np.diff(self.epochs) > 0).all():
            raise ValueError("scores are not finite, or epochs not ascending")
        if len(self.epochs) and self.epochs[-1] >= self.through:
            raise ValueError(f"an epoch is not before {self.through}, the end of learning")
