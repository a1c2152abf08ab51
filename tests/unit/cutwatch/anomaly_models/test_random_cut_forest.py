import numpy as np
import pytest
from krcf import RandomCutForest

from cutwatch.anomaly_models.forest_options import forest_options
from cutwatch.anomaly_models.model import Rows, score_and_learn
from cutwatch.anomaly_models.random_cut_forest import ForestModel
from cutwatch.detectors.stream import ForestSettings
from cutwatch.errors import MalformedState

SETTINGS = ForestSettings(trees=10, sample_size=32, time_decay=1_000)
VALUES = np.random.default_rng(1).normal(size=(300, 2))
ROWS = Rows(np.arange(300, dtype=np.float64), VALUES)


def test_scores_are_those_of_the_library() -> None:
    bare = RandomCutForest(forest_options(SETTINGS, 2, seed=7))
    expected = []
    for row in VALUES.tolist():
        expected.append(bare.score(row))
        bare.update(row)
    assert score_and_learn(ForestModel.untrained(SETTINGS, 2, 7), ROWS).tolist() == expected


def test_scoring_alone_learns_nothing() -> None:
    model = ForestModel.untrained(SETTINGS, 2, 7)
    model.learn(ROWS)
    once, twice = model.score(ROWS), model.score(ROWS)
    assert once.tolist() == twice.tolist()
    assert model.learned == 300


def test_a_forest_survives_bytes_exactly() -> None:
    model = ForestModel.untrained(SETTINGS, 2, 7)
    model.learn(ROWS)
    restored = ForestModel.from_bytes(model.to_bytes())
    assert score_and_learn(restored, ROWS).tolist() == score_and_learn(model, ROWS).tolist()


def test_a_missing_value_is_the_mean() -> None:
    model = ForestModel.untrained(SETTINGS, 2, 7)
    model.learn(ROWS)
    missing = Rows(ROWS.times[:1], np.array([[np.nan, 1.0]]))
    assert model.score(missing) == model.score(Rows(ROWS.times[:1], np.array([[0.0, 1.0]])))


@pytest.mark.parametrize("content", [b"", b"no model", b"cutwatch-model random_cut_forest 1 0\n{}"])
def test_damaged_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(MalformedState):
        ForestModel.from_bytes(content)
