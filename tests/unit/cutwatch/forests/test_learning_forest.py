import numpy as np
import pytest
from numpy.typing import NDArray

from cutwatch.detectors.detector import Feature
from cutwatch.forests.learning_forest import LearningForest

Floats = NDArray[np.float64]
ALL: tuple[Feature, ...] = ("value", "difference", "residual")


def noise(count: int, dimensions: int = 1) -> Floats:
    return np.random.default_rng(0).normal(size=(count, dimensions))


def test_a_spike_scores_higher_than_what_was_learned() -> None:
    forest = LearningForest.untrained(("value",))
    usual = forest.score(noise(1_000))[500:]
    assert forest.score(np.array([[12.0]]))[0] > usual.max()


def test_what_comes_often_becomes_usual() -> None:
    """A static forest would go on alarming after a level shift, until it is trained again."""
    forest = LearningForest.untrained(("value",))
    forest.score(noise(2_000))
    at_the_new_level = forest.score(noise(2_000) + 12)
    assert at_the_new_level[:10].mean() > 1.5 * at_the_new_level[-500:].mean()


def test_a_score_knows_nothing_of_what_comes_after_it() -> None:
    whole, part = LearningForest.untrained(("value",)), LearningForest.untrained(("value",))
    np.testing.assert_array_equal(whole.score(noise(800))[:500], part.score(noise(800)[:500]))


@pytest.mark.parametrize(
    ("features", "shingle_size"), [(ALL[:1], 1), (ALL[:2], 1), (ALL[:2], 3), (ALL, 1)]
)
def test_a_forest_that_was_stored_goes_on_where_it_was(
    features: tuple[Feature, ...], shingle_size: int
) -> None:
    rows = noise(600, len(features) * shingle_size)
    forest = LearningForest.untrained(features, shingle_size, trees=20)
    forest.score(rows[:400])

    again = LearningForest.from_bytes(forest.to_bytes())

    np.testing.assert_array_equal(again.score(rows[400:]), forest.score(rows[400:]))


def test_a_row_scores_as_its_most_surprising_feature() -> None:
    rows = noise(500, 2)
    both = LearningForest.untrained(("value", "difference"), seed=3).score(rows)
    alone = [
        LearningForest.untrained(("value",), seed=seed).score(rows[:, [column]])
        for seed, column in ((3, 0), (4, 1))
    ]
    np.testing.assert_array_equal(both, np.maximum(*alone))


def test_the_unit_of_a_feature_does_not_matter() -> None:
    rows = noise(500, 2)
    scaled = rows * np.array([1.0, 1_024.0])
    one, other = (
        LearningForest.untrained(("value", "difference")).score(these) for these in (rows, scaled)
    )
    np.testing.assert_allclose(one, other, rtol=1e-5)


def test_equal_seeds_give_equal_scores() -> None:
    one, same, other = (
        LearningForest.untrained(("value",), seed=s).score(noise(300)) for s in (5, 5, 6)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_the_residual_counts_three_quarters_beside_others_and_in_full_alone() -> None:
    rows = noise(500)
    of_value = LearningForest.untrained(("value",)).score(rows)
    alone = LearningForest.untrained(("residual",)).score(rows)
    beside = LearningForest.untrained(("residual", "value"))

    np.testing.assert_array_equal(alone, of_value)
    assert beside.weights == (0.75, 1.0)
