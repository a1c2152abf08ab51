import numpy as np
import pytest

from cutwatch.anomaly_models.fitted_model import FittedModel, split
from cutwatch.anomaly_models.model import Rows
from cutwatch.anomaly_models.training import TrainingSettings, train
from cutwatch.detectors.stream import ForestSettings, Model
from cutwatch.errors import InvalidInput, MalformedState, NewerState
from tests.support.series import daily_rows

SETTINGS = TrainingSettings(ForestSettings(trees=10, sample_size=64))
KINDS: list[Model] = ["random_cut_forest", "harmonic_regression", "one_class_svm"]
ROWS = daily_rows(2)


def test_the_split_is_by_time() -> None:
    training, later = split(ROWS)
    assert len(training.times) == int(0.8 * len(ROWS.times))
    assert training.times[-1] < later.times[0]
    assert len(training.times) + len(later.times) == len(ROWS.times)


@pytest.mark.parametrize("kind", KINDS)
def test_the_threshold_comes_from_the_training_alone(kind: Model) -> None:
    training, later = split(ROWS)
    spoiled = Rows(later.times, later.values + 1_000)
    fitted, again = train(kind, training, SETTINGS), train(kind, training, SETTINGS)
    assert fitted.cutoff == again.cutoff
    assert np.all(fitted.times_cutoff(fitted.model.score(spoiled.between(0, 3))) > 1)
    assert np.mean(fitted.times_cutoff(fitted.model.score(later)) > 1) < 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_a_fitted_model_survives_bytes_with_its_features(kind: Model) -> None:
    training, later = split(ROWS)
    fitted = train(kind, training, SETTINGS, {"statistics": [1, 2]})
    restored = FittedModel.from_bytes(fitted.to_bytes())
    assert (restored.kind, restored.cutoff) == (kind, fitted.cutoff)
    assert restored.features == {"statistics": [1, 2]}
    assert restored.model.score(later).tolist() == fitted.model.score(later).tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_without_rows_is_refused(kind: Model) -> None:
    with pytest.raises(InvalidInput, match="no rows"):
        train(kind, ROWS.between(0, 0), SETTINGS)


def test_a_forest_needs_more_rows_than_two_samples() -> None:
    with pytest.raises(InvalidInput, match=r"128 rows are too few .* needs more than 128"):
        train("random_cut_forest", ROWS.between(0, 128), SETTINGS)


def test_damaged_and_newer_models_are_refused() -> None:
    content = train("one_class_svm", ROWS, SETTINGS).to_bytes()
    with pytest.raises(MalformedState, match="checksum"):
        FittedModel.from_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(NewerState, match="deploy the version that wrote it"):
        FittedModel.from_bytes(content.replace(b"fitted 1 ", b"fitted 2 ", 1))
    with pytest.raises(MalformedState, match="not a model of kind fitted"):
        FittedModel.from_bytes(b"something else\n")
