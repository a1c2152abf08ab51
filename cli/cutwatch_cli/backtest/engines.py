"""The two engines that a backtest can simulate, behind one interface."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from cutwatch.datasets.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.detection.adaptive_threshold import DEFAULT, Baseline
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.detector import Detector
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch_cli.backtest.static_forest import Forest, StaticForest

Scored = tuple[Epochs, Floats]

DEFAULT_SIGMAS = 3.0


@dataclass(frozen=True, eq=False)
class Model:
    """A trained forest, its feature recipe, and the threshold baseline frozen with it."""

    forest: Forest
    recipe: FeatureRecipe
    baseline: Baseline
    cutoff: Cutoff


class Engine(Protocol):
    """Train on request, and score windows in chronological order."""

    def train(self, history: Series) -> Model | None:
        """Learn from a history whose excluded times are gaps; return None if there is too little."""

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        """Return timestamps (n,) and scores (n,) of the window from `start` and of its lead-in."""


@dataclass(frozen=True)
class StaticEngine:
    """One static forest per training, on a uniform sample, as SageMaker's built-in algorithm trains it."""

    detector: Detector
    seed: int = 0
    grow: Callable[[Floats, int], Forest] = lambda rows, seed: StaticForest.train(rows, seed=seed)

    def train(self, history: Series) -> Model | None:
        recipe = _recipe(history, self.detector)
        rows = recipe.transform(history).rows
        if len(rows) < MINIMUM_TRAINING_ROWS:
            return None
        forest = self.grow(rows, self.seed)
        adaptive = self.detector.cutoff.method == "adaptive"
        reference = rows[-DEFAULT.baseline_datapoints :] if adaptive else rows
        return _model(forest, recipe, forest.score(reference), self.detector)

    def score(self, model: Model, series: Series, start: datetime) -> Scored:  # noqa: ARG002 - scores all alike
        made = model.recipe.transform(series)
        return made.epochs, model.forest.score(made.rows)


@dataclass
class LearningEngine:
    """A forest that scores each datapoint, then learns it; each training rebuilds it from the history."""

    detector: Detector
    seed: int = 0
    _state: ForestCheckpoint | None = field(default=None, init=False)

    def train(self, history: Series) -> Model | None:
        recipe = _recipe(history, self.detector)
        made = recipe.transform(history)
        if len(made.rows) < MINIMUM_TRAINING_ROWS:
            return None
        self._state = ForestCheckpoint.untrained(recipe.features, recipe.shingle_size, self.seed)
        scores = self._state.score(made, int(history.end.timestamp()))
        return _model(self._state.forest, recipe, scores, self.detector)

    def score(self, model: Model, series: Series, start: datetime) -> Scored:  # noqa: ARG002 - the state knows it
        if self._state is None:
            raise ValueError("a learning forest scores only after its training")
        made = model.recipe.transform(series)
        return made.epochs, self._state.score(made, int(series.end.timestamp()))


def _recipe(history: Series, detector: Detector) -> FeatureRecipe:
    return FeatureRecipe.fit(history, detector.features, detector.shingle_size, detector.time_zone)


def _model(forest: Forest, recipe: FeatureRecipe, scores: Floats, detector: Detector) -> Model:
    baseline = Baseline.of_scores(scores, recipe.explained)
    cutoff = Cutoff.of_scores(scores, detector.cutoff.sigmas or DEFAULT_SIGMAS)
    return Model(forest, recipe, baseline, cutoff)
