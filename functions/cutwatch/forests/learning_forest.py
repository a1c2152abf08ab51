"""Forests that score each row and then learn it: AWS's own Random Cut Forest (Rust), by way of krcf."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from krcf import RandomCutForest

from cutwatch.detectors.detector import Feature
from cutwatch.timeseries.arrays import Floats

# Larger samples than a static forest's: what this one has learned must not be forgotten within days.
TREES = 30
SAMPLES_PER_TREE = 512
# What a feature's scores count beside those of others. Residuals are nearly white noise, whose highest scores
# are no incidents; on its own, every feature counts in full.
_WEIGHTS: Mapping[Feature, float] = {"value": 1.0, "difference": 1.0, "residual": 0.75}


@dataclass(frozen=True, eq=False)
class LearningForest:
    """One forest per feature; a row's score is that of the feature whose forest it surprises most.

    Each feature's scores (all >= 0) are multiplied by its weight first. Rows are as a recipe makes them: the features
    of a datapoint side by side, datapoint by datapoint.
    """

    forests: tuple[RandomCutForest, ...]
    weights: tuple[float, ...]

    @classmethod
    def untrained(
        cls,
        features: Sequence[Feature],
        shingle_size: int = 1,
        trees: int = TREES,
        samples: int = SAMPLES_PER_TREE,
        seed: int = 0,
    ) -> "LearningForest":
        """Forests that have learned nothing yet; equal seeds and rows give equal scores."""
        seeds = range(seed, seed + len(features))
        forests = tuple(_forest(shingle_size, trees, samples, one) for one in seeds)
        together = len(features) > 1
        return cls(forests, tuple(_WEIGHTS[one] if together else 1.0 for one in features))

    def score(self, rows: Floats) -> Floats:
        """The scores (n,) of rows (n, d) in the order of time, each given before its row is learned."""
        return self._highest(rows, _score_then_learn)

    def score_only(self, rows: Floats) -> Floats:
        """The scores (n,) of rows (n, d) as the forests stand; nothing is learned."""
        return self._highest(rows, _score)

    def _highest(self, rows: Floats, score: Callable[[RandomCutForest, Floats], Floats]) -> Floats:
        count = len(self.forests)
        scores = [
            weight * score(forest, rows[:, position::count])
            for position, (forest, weight) in enumerate(
                zip(self.forests, self.weights, strict=True)
            )
        ]
        highest: Floats = np.maximum.reduce(scores)
        return highest

    def to_bytes(self) -> bytes:
        """Each forest as msgpack, behind a line with their lengths and weights."""
        packed = [bytes(forest.to_msgpack()) for forest in self.forests]
        header = {"lengths": [len(one) for one in packed], "weights": self.weights}
        return b"\n".join([json.dumps(header).encode(), b"".join(packed)])

    @classmethod
    def from_bytes(cls, content: bytes) -> "LearningForest":
        """Read back what `to_bytes` wrote; it goes on exactly where that one was."""
        line, _, packed = content.partition(b"\n")
        header = json.loads(line)
        ends = np.cumsum(header["lengths"]).tolist()
        parts = [packed[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        forests = tuple(RandomCutForest.from_msgpack(part) for part in parts)
        return cls(forests, tuple(header["weights"]))


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
