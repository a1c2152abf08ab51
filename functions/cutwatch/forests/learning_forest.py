"""Forests that score each row and then learn it: AWS's own Random Cut Forest (Rust), by way of krcf."""

import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from krcf import RandomCutForest

from cutwatch.timeseries.arrays import Floats

# Larger samples than a static forest's: what this one has learned must not be forgotten within days.
TREES = 30
SAMPLES_PER_TREE = 512


@dataclass(frozen=True, eq=False)
class LearningForest:
    """One forest per feature; each gives every row a score (all >= 0).

    Rows are as a recipe makes them: the features of a datapoint side by side, datapoint by datapoint.
    """

    forests: tuple[RandomCutForest, ...]

    @classmethod
    def untrained(
        cls,
        features: int,
        shingle_size: int = 1,
        trees: int = TREES,
        samples: int = SAMPLES_PER_TREE,
        seed: int = 0,
    ) -> "LearningForest":
        """Forests that have learned nothing yet; equal seeds and rows give equal scores."""
        seeds = range(seed, seed + features)
        return cls(tuple(_forest(shingle_size, trees, samples, one) for one in seeds))

    def score(self, rows: Floats) -> Floats:
        """Return the scores (n, features) of rows (n, d) in chronological order, and learn each row after scoring it."""
        return self._each(rows, _score_then_learn)

    def score_only(self, rows: Floats) -> Floats:
        """Return the scores (n, features) of rows (n, d) without learning any."""
        return self._each(rows, _score)

    def _each(self, rows: Floats, score: Callable[[RandomCutForest, Floats], Floats]) -> Floats:
        count = len(self.forests)
        return np.stack(
            [score(forest, rows[:, k::count]) for k, forest in enumerate(self.forests)], axis=1
        )

    def to_bytes(self) -> bytes:
        """Each forest as msgpack, behind a line with their lengths."""
        packed = [bytes(forest.to_msgpack()) for forest in self.forests]
        header = {"lengths": [len(one) for one in packed]}
        return b"\n".join([json.dumps(header).encode(), b"".join(packed)])

    @classmethod
    def from_bytes(cls, content: bytes) -> "LearningForest":
        """Read back what `to_bytes` wrote; it goes on exactly where that one was."""
        line, _, packed = content.partition(b"\n")
        ends = np.cumsum(json.loads(line)["lengths"]).tolist()
        parts = [packed[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        return cls(tuple(RandomCutForest.from_msgpack(part) for part in parts))


def _forest(width: int, trees: int, samples: int, seed: int) -> RandomCutForest:
    return RandomCutForest(
        {
            "dimensions": width,
            "shingle_size": 1,
            "num_trees": trees,
            "sample_size": samples,
            "random_seed": seed,
            "output_after": 1,
            "parallel_execution_enabled": False,
        }
    )


def _score_then_learn(forest: RandomCutForest, rows: Floats) -> Floats:
    scores = np.empty(len(rows))
    for position, row in enumerate(rows.tolist()):
        scores[position] = forest.score(row)
        forest.update(row)
    return scores


def _score(forest: RandomCutForest, rows: Floats) -> Floats:
    return np.array([forest.score(row) for row in rows.tolist()], np.float64)
