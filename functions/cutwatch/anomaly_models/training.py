"""Training of each kind of model on the first rows of a series. It needs scikit-learn, which functions that score do not have."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.anomaly_models.harmonic_fit import fit_harmonic_regression
from cutwatch.anomaly_models.harmonic_regression import HarmonicRegression
from cutwatch.anomaly_models.model import AnomalyModel, Rows, score_and_learn
from cutwatch.anomaly_models.random_cut_forest import ForestModel
from cutwatch.anomaly_models.svm_training import fit_one_class_svm
from cutwatch.detectors.stream import ForestSettings, Model
from cutwatch.errors import InvalidInput
from cutwatch.timeseries.arrays import Floats


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of the models: of the forest with its seed, and the seconds between the rows of a regression."""

    forest: ForestSettings = ForestSettings()  # noqa: RUF009 - frozen
    seed: int = 0
    period: int = 60


Trained = tuple[AnomalyModel, Floats]


def train(
    kind: Model,
    rows: Rows,
    settings: TrainingSettings,
    features: Mapping[str, Any] | None = None,
) -> FittedModel:
    """Return a model of rows in the order of time, with the threshold of its scores there.

    Raises `InvalidInput` if there are too few rows.
    """
    if not len(rows.times):
        raise InvalidInput("there are no rows to learn from")
    model, scores = _TRAININGS[kind](rows, settings)
    return FittedModel.of_training(kind, model, scores, features)


def _forest(rows: Rows, settings: TrainingSettings) -> Trained:
    size = settings.forest.sample_size
    if len(rows.times) <= 2 * size:
        raise InvalidInput(
            f"{len(rows.times)} rows are too few for a forest with sample_size {size}; it needs more than {2 * size}"
        )
    model = ForestModel.untrained(settings.forest, rows.values.shape[1], settings.seed)
    # The first scores are those of a forest that knows little.
    return model, score_and_learn(model, rows)[size:]


def _regression(rows: Rows, settings: TrainingSettings) -> Trained:
    model = fit_harmonic_regression(rows, settings.period)
    begun = HarmonicRegression(model.period, model.seasons, model.columns)
    return model, begun.score(rows)


def _machine(rows: Rows, _: TrainingSettings) -> Trained:
    model = fit_one_class_svm(rows)
    return model, model.score(rows)


_TRAININGS: Mapping[Model, Callable[[Rows, TrainingSettings], Trained]] = {
    "random_cut_forest": _forest,
    "harmonic_regression": _regression,
    "one_class_svm": _machine,
}
