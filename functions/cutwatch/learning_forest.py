"""Forests that score each row and then learn it: AWS's own Random Cut Forest (Rust), by way of krcf."""

import json
from dataclasses import dataclass

import numpy as np
from krcf import RandomCutForest
from numpy.typing import NDArray

from cutwatch.forest import SAMPLES_PER_TREE, TREES

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LearningForest:
    """One forest per feature; a row's score is that of the feature whose forest it surprises most.

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
        """The scores (n,) of rows (n, d) in the order of time, each given before its row is learned."""
        count = len(self.forests)
        scores = [
            _score_then_learn(forest, rows[:, position::count])
            for position, forest in enumerate(self.forests)
        ]
        highest: Floats = np.maximum.reduce(scores)
        return highest

    def score_only(self, rows: Floats) -> Floats:
        """The scores (n,) of rows (n, d) as the forests stand; nothing is learned."""
        count = len(self.forests)
        scores = [
            np.array([forest.score(row) for row in rows[:, position::count].tolist()], np.float64)
            for position, forest in enumerate(self.forests)
        ]
        highest: Floats = np.maximum.reduce(scores)
        return highest

    def to_bytes(self) -> bytes:
        """Each forest as msgpack, behind a line with their lengths."""
        packed = [bytes(forest.to_msgpack()) for forest in self.forests]
        return b"\n".join([json.dumps([len(one) for one in packed]).encode(), b"".join(packed)])

    @classmethod
    def from_bytes(cls, content: bytes) -> "LearningForest":
        """Read back what `to_bytes` wrote; it goes on exactly where that one was."""
        lengths, _, packed = content.partition(b"\n")
        ends = np.cumsum(json.loads(lengths)).tolist()
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
