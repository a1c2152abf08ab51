"""A Random Cut Forest built for a batch at once (Guha, Mishra, Roy, Schrijvers; ICML 2016).

The trees share one uniform sample of the training rows, as in SageMaker's built-in algorithm. All trees are
grown and descended together, one level at a time, so that numpy does the work.
"""

import io
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cutwatch.timeseries.arrays import Floats

Integers = NDArray[np.intp]

TREES = 50
SAMPLES_PER_TREE = 256
_LEAF = -1
# Rows scored together: as many as the processor's cache likes.
_BLOCK = 768


class Forest(Protocol):
    """Interface of a forest: score rows, higher for more anomalous."""

    def score(self, rows: Floats) -> Floats:
        """Return the scores (n,) of rows (n, d) in chronological order."""


@dataclass(frozen=True, eq=False)
class StaticForest:
    """Static forest. Node arrays of all trees; roots come first, and siblings are adjacent.

    `low` and `high` (nodes, d) bound the rows below a node, `mass` counts them; rows with
    `row[dimension] <= cut` descend to `left`, the others to `left + 1`; a leaf's `left` is -1.
    """

    trees: int
    samples: int
    low: Floats
    high: Floats
    mass: Integers
    dimension: Integers
    cut: Floats
    left: Integers

    @classmethod
    def train(
        cls, rows: ArrayLike, trees: int = TREES, samples: int = SAMPLES_PER_TREE, seed: int = 0
    ) -> "StaticForest":
        """Grow a forest over rows (n, d), n and d at least 1.

        One sample without replacement is dealt out to the trees, as SageMaker does: short histories give small trees, and
        fewer rows than trees a tree for each.
        """
        learned = np.asarray(rows, dtype=np.float64)
        random = np.random.default_rng(seed)
        trees = min(trees, len(learned))
        size = min(len(learned) // trees, samples)
        sampled = random.permutation(len(learned))[: trees * size]
        return _grow(learned[sampled], trees, size, random)

    def score(self, rows: ArrayLike) -> Floats:
        """Return the scores (n,) of rows (n, d): the displacement each row would cause, averaged over the trees."""
        asked = np.asarray(rows, dtype=np.float64)
        blocks = [asked[first : first + _BLOCK].T for first in range(0, len(asked), _BLOCK)]
        scores = [self._score_block(np.ascontiguousarray(block)) for block in blocks]
        return np.concatenate(scores or [np.empty(0)])

    def to_bytes(self) -> bytes:
        """Return the node arrays as a compressed .npz."""
        buffer = io.BytesIO()
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "StaticForest":
        """Read back what `to_bytes` wrote."""
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in cls.__dataclass_fields__}
        return cls(**{**arrays, "trees": int(arrays["trees"]), "samples": int(arrays["samples"])})

    def _score_block(self, columns: Floats) -> Floats:
        """Descend all trees with all rows (d, n) at once; each pass handles the nodes of one depth."""
        count = columns.shape[1]
        scores = np.zeros(count)
        row: Integers = np.tile(np.arange(count), self.trees)
        node: Integers = np.repeat(np.arange(self.trees), count)
        # How probable it is that no cut on the way down has separated the row from the node's rows.
        together = np.ones(len(row))
        depth = 0
        while len(row):
            beyond = self._distance_beyond(columns, row, node)
            outside = np.flatnonzero(beyond != 0)
            distance = beyond.take(outside)
            separated = distance / (self._extent.take(node.take(outside)) + distance)
            separated *= together.take(outside)
            together[outside] -= separated
            scores += np.bincount(row.take(outside), separated, count) / (depth + 1)
            left = self.left.take(node)
            ended = left == _LEAF
            if ended.any():
                leaf, inner = np.flatnonzero(ended), np.flatnonzero(~ended)
                found = self._leaf_scores(node.take(leaf), beyond.take(leaf), depth)
                scores += np.bincount(row.take(leaf), together.take(leaf) * found, count)
                row, node, left = row.take(inner), node.take(inner), left.take(inner)
                together = together.take(inner)
            node = self._children(columns, row, node, left)
            depth += 1
        return np.asarray(scores * np.log2(self.samples + 1) / self.trees)

    @cached_property
    def _extent(self) -> Floats:
        return np.asarray((self.high - self.low).sum(axis=1))

    @cached_property
    def _bounds(self) -> list[tuple[Floats, Floats]]:
        """Return low and high of all nodes by dimension, contiguous so that `take` does not copy them at every depth."""
        return list(zip(self.low.T.copy(), self.high.T.copy(), strict=True))

    def _distance_beyond(self, columns: Floats, row: Integers, node: Integers) -> Floats:
        """Return the distance of rows outside their nodes' boxes, summed over the dimensions."""
        beyond = np.zeros(len(row))
        for column, (low, high) in zip(columns, self._bounds, strict=True):
            above = column.take(row)
            below = low.take(node)
            below -= above
            above -= high.take(node)
            np.maximum(below, above, out=above)
            beyond += np.maximum(above, 0, out=above)
        return beyond

    def _children(self, columns: Floats, row: Integers, node: Integers, left: Integers) -> Integers:
        """Return the child of its node to which each row descends."""
        place = row if len(columns) == 1 else self.dimension.take(node) * columns.shape[1] + row
        return np.add(left, columns.take(place) > self.cut.take(node))

    def _leaf_scores(self, leaf: Integers, beyond: Floats, depth: int) -> Floats:
        """Return the scores of rows equal to their leaf: the more copies the leaf holds, the lower."""
        mass = self.mass.take(leaf)
        seen = (1 - mass / (2 * self.samples)) / (depth + np.log2(1 + mass))
        return np.where(beyond > 0, 1 / (depth + 1), seen)


@dataclass(frozen=True, eq=False)
class _Level:
    """Nodes of one depth, over all trees."""

    low: Floats
    high: Floats
    mass: Integers
    dimension: Integers
    cut: Floats
    left: Integers


def _grow(rows: Floats, trees: int, size: int, random: "np.random.Generator") -> StaticForest:
    starts = np.arange(0, trees * size, size)
    levels: list[_Level] = []
    first_child = trees
    while len(rows):
        level = _cut_level(rows, starts, first_child, random)
        levels.append(level)
        first_child += 2 * int(np.count_nonzero(level.left != _LEAF))
        rows, starts = _descend(rows, level)
    arrays = {
        name: np.concatenate([getattr(level, name) for level in levels])
        for name in _Level.__dataclass_fields__
    }
    return StaticForest(trees, size, **arrays)


def _cut_level(
    rows: Floats, starts: NDArray[np.int64], first_child: int, random: "np.random.Generator"
) -> _Level:
    """Cut every node's rows: choose the dimension with probability proportional to its extent, and the cut uniformly in it."""
    low = np.minimum.reduceat(rows, starts, axis=0)
    high = np.maximum.reduceat(rows, starts, axis=0)
    mass = np.diff(starts, append=len(rows))
    reach = np.cumsum(high - low, axis=1)
    drawn = random.random(len(starts)) * reach[:, -1]
    dimension = np.minimum((reach <= drawn[:, None]).sum(axis=1), rows.shape[1] - 1)
    node = np.arange(len(starts))
    bottom, top = low[node, dimension], high[node, dimension]
    cut = bottom + drawn - (reach[node, dimension] - (top - bottom))
    # Rounding must not leave a side without rows.
    cut = np.where(cut >= top, bottom, np.maximum(cut, bottom))
    divisible = reach[:, -1] > 0
    left = np.full(len(starts), _LEAF)
    left[divisible] = first_child + 2 * np.arange(np.count_nonzero(divisible))
    return _Level(low, high, mass, dimension, cut, left)


def _descend(rows: Floats, level: _Level) -> tuple[Floats, NDArray[np.int64]]:
    """Return the rows of the next level in the order of its nodes, and the start of each node's rows."""
    node = np.repeat(np.arange(len(level.mass)), level.mass)
    moving = level.left[node] != _LEAF
    rows, node = rows[moving], node[moving]
    child = 2 * node + (rows[np.arange(len(rows)), level.dimension[node]] > level.cut[node])
    order = np.argsort(child, kind="stable")
    starts = np.flatnonzero(np.diff(child[order], prepend=-1))
    return rows[order], starts
