from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from krcf import RandomCutForest
from numpy.typing import NDArray

from cutwatch_cli.backtest.static_forest import StaticForest

Floats = NDArray[np.float64]
LEAF = -1

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
some_rows = st.tuples(st.integers(1, 40), st.integers(1, 3)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=numbers)
)


def noise(count: int, dimensions: int = 1, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, dimensions))


def leaves_under(forest: StaticForest, node: int) -> list[int]:
    left = int(forest.left[node])
    if left == LEAF:
        return [node]
    return leaves_under(forest, left) + leaves_under(forest, left + 1)


def score_by_definition(forest: StaticForest, row: Floats) -> float:
    """The recursion of the paper's displacement, as AWS's forest damps it, one tree and node at a time."""

    def below(node: int, depth: int) -> float:
        outside = np.maximum(forest.low[node] - row, 0) + np.maximum(row - forest.high[node], 0)
        beyond, extent = outside.sum(), (forest.high[node] - forest.low[node]).sum()
        left = int(forest.left[node])
        if left == LEAF:
            mass = forest.mass[node]
            seen = (1 - mass / (2 * forest.samples)) / (depth + np.log2(1 + mass))
            return 1 / (depth + 1) if beyond else float(seen)
        separated = beyond / (beyond + extent)
        child = left + int(row[forest.dimension[node]] > forest.cut[node])
        return float(separated / (depth + 1) + (1 - separated) * below(child, depth + 1))

    total = sum(below(tree, 0) for tree in range(forest.trees))
    return float(total * np.log2(forest.samples + 1) / forest.trees)


@settings(max_examples=40)
@given(some_rows, st.integers(0, 100))
def test_scores_are_those_of_the_definition(rows: Floats, seed: int) -> None:
    forest = StaticForest.train(rows, trees=3, samples=16, seed=seed)
    asked = np.concatenate([rows[:5], rows[:5] * 1.5 + 1])

    expected = [score_by_definition(forest, row) for row in asked]

    np.testing.assert_allclose(forest.score(asked), expected)


@given(some_rows, st.integers(1, 64))
def test_every_tree_divides_its_sample_until_all_rows_of_a_leaf_are_equal(
    rows: Floats, samples: int
) -> None:
    forest = StaticForest.train(rows, trees=4, samples=samples)

    for tree in range(forest.trees):
        leaves = leaves_under(forest, tree)
        assert forest.mass[leaves].sum() == forest.mass[tree] == min(samples, len(rows))
        np.testing.assert_array_equal(forest.low[leaves], forest.high[leaves])


@given(some_rows)
def test_a_cut_parts_the_boxes_of_a_nodes_children(rows: Floats) -> None:
    forest = StaticForest.train(rows, trees=3, samples=16)
    inner = np.flatnonzero(forest.left != LEAF)
    left, dimension, cut = forest.left[inner], forest.dimension[inner], forest.cut[inner]

    assert (forest.high[left, dimension] <= cut).all()
    assert (cut < forest.low[left + 1, dimension]).all()
    assert (forest.mass[left] + forest.mass[left + 1] == forest.mass[inner]).all()
    assert (forest.low[left] >= forest.low[inner]).all()
    assert (forest.high[left + 1] <= forest.high[inner]).all()


@given(some_rows, st.integers(0, 1_000))
def test_the_same_seed_grows_the_same_forest(rows: Floats, seed: int) -> None:
    one, other = (StaticForest.train(rows, trees=3, seed=seed) for _ in range(2))
    np.testing.assert_array_equal(one.score(rows), other.score(rows))


@settings(max_examples=30)
@given(some_rows)
def test_a_forest_is_read_back_as_it_was_stored(rows: Floats) -> None:
    forest = StaticForest.train(rows, trees=3)
    again = StaticForest.from_bytes(forest.to_bytes())
    np.testing.assert_array_equal(again.score(rows), forest.score(rows))


@pytest.mark.parametrize("count", [0, 1, 767, 768, 769, 2_000])
def test_a_row_is_scored_alike_in_any_company(count: int) -> None:
    forest, rows = StaticForest.train(noise(500), trees=5), noise(2_000, seed=1)
    np.testing.assert_allclose(forest.score(rows[:count]), forest.score(rows)[:count])


def test_scores_do_not_depend_on_unit_or_origin() -> None:
    """Powers of two, so that rounding does not move a row across a cut."""
    rows = noise(500, 2)
    forest, moved = StaticForest.train(rows), StaticForest.train(rows * 8 + 1_024)
    np.testing.assert_allclose(forest.score(rows), moved.score(rows * 8 + 1_024), rtol=1e-6)


@pytest.mark.parametrize("dimensions", [1, 2, 8])
def test_the_further_out_a_row_is_the_higher_it_scores(dimensions: int) -> None:
    forest = StaticForest.train(noise(2_000, dimensions))
    scores = forest.score(np.outer([0, 4, 8, 16, 1_000], np.ones(dimensions)))
    assert (np.diff(scores) > 0).all()


def test_no_score_exceeds_that_of_a_row_cut_off_by_every_first_cut() -> None:
    forest = StaticForest.train(noise(2_000))
    highest = float(np.log2(257))
    assert forest.score(np.array([[1e12]]))[0] == pytest.approx(highest, rel=1e-3)
    assert forest.score(noise(500, seed=2) * 100).max() <= highest


def test_a_constant_history_makes_anything_else_an_anomaly() -> None:
    forest = StaticForest.train(np.full((500, 1), 5.0))
    usual, other = forest.score(np.array([[5.0], [5.1]]))
    assert usual < 1 < other


def test_samples_are_uniform_over_the_history() -> None:
    """However old a row is, it is as likely to be in a tree as any other."""
    rows = np.arange(1_000, dtype=np.float64)[:, None]
    forest = StaticForest.train(rows, trees=400, samples=50)
    held = forest.low[forest.left == LEAF][:, 0]
    by_age = np.histogram(held, bins=10, range=(0, 1_000))[0] / len(held)
    np.testing.assert_allclose(by_age, 0.1, atol=0.01)


def aws_scores(learned: Floats, asked: Floats, trees: int) -> Floats:
    options: Any = {
        "dimensions": learned.shape[1],
        "shingle_size": 1,
        "num_trees": trees,
        "sample_size": 256,
        "lambda": 0.0,
        "random_seed": 1,
        "output_after": 1,
        "parallel_execution_enabled": False,
    }
    forest = RandomCutForest(options)
    for row in np.random.default_rng(1).permutation(learned).tolist():
        forest.update(row)
    return np.array([forest.score(row) for row in asked.tolist()])


@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_scores_agree_with_those_of_aws_own_forest(dimensions: int) -> None:
    learned, asked = noise(3_000, dimensions), noise(400, dimensions, seed=1) * 2
    ours = StaticForest.train(learned, trees=200).score(asked)
    theirs = aws_scores(learned, asked, trees=200)
    assert np.corrcoef(ours, theirs)[0, 1] > 0.99
    np.testing.assert_allclose(ours, theirs, atol=0.25)
