"""The two engines that a backtest can simulate, behind one interface."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.detector import Engine as EngineName
from cutwatch.features.recipe import FeatureRecipe, FeatureRows
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch_cli.backtest.static_forest import Forest, StaticForest

Scored = tuple[Epochs, Floats]

DEFAULT_SIGMAS = 3.0


@dataclass(frozen=True, eq=False)
class Model:
    """A feature recipe and the sigma cutoff of the training scores, both frozen at training."""

    recipe: FeatureRecipe
    cutoff: Cutoff


class Engine(Protocol):
    """Train on request, and score windows in chronological order."""

    def train(self, history: Series) -> Model | None:
        """Learn from a history that begins with the metric; None when it is too little."""

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        """Return the epoch seconds (n,) and scores (n, k) of the window from `start` and of the lead-in before it."""


@dataclass
class StaticEngine:
    """One static forest per training, on a uniform sample: what SageMaker's built-in algorithm gives."""

    detector: Detector
    seed: int = 0
    grow: Callable[[Floats, int], Forest] = lambda rows, seed: StaticForest.train(rows, seed=seed)
    _forest: Forest | None = field(default=None, init=False)

    def train(self, history: Series) -> Model | None:
        learned = _learned(history, self.detector, "sagemaker")
        if learned is None:
            return None
        recipe, made = learned
        self._forest = self.grow(made.rows, self.seed)
        return _model(recipe, self._forest.score(made.rows), self.detector)

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        if self._forest is None:
            raise ValueError("a forest scores only after its training")
        made = model.recipe.transform(series, int(start.timestamp()))
        return made.epochs, self._forest.score(made.rows)[:, None]


@dataclass
class LearningEngine:
    """Forests that score each datapoint and then learn it; each training rebuilds them from the history."""

    detector: Detector
    seed: int = 0
    _state: ForestCheckpoint | None = field(default=None, init=False)

    def train(self, history: Series) -> Model | None:
        learned = _learned(history, self.detector, "lambda")
        if learned is None:
            return None
        recipe, made = learned
        self._state = ForestCheckpoint.untrained(
            len(recipe.features), recipe.shingle_size, self.seed
        )
        scores = self._state.score(made, int(history.end.timestamp()))
        return _model(recipe, scores.max(axis=1), self.detector)

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        if self._state is None:
            raise ValueError("a learning forest scores only after its training")
        made = model.recipe.transform(series, int(start.timestamp()))
        return made.epochs, self._state.score(made, int(series.end.timestamp()))


def _learned(
    history: Series, detector: Detector, engine: EngineName
) -> tuple[FeatureRecipe, FeatureRows] | None:
    if not history.reported:
        return None
    recipe = FeatureRecipe.fit(
        history, detector.features, detector.shingle_size, detector.time_zone, engine
    )
    made = recipe.transform(history)
    return (recipe, made) if len(made.rows) >= MINIMUM_TRAINING_ROWS[engine] else None


def _model(recipe: FeatureRecipe, scores: Floats, detector: Detector) -> Model:
    return Model(recipe, Cutoff.of_scores(scores, detector.cutoff.sigmas or DEFAULT_SIGMAS))
