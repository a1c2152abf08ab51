"""The two engines that a backtest can simulate, behind one interface."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cutwatch.cutoff import Cutoff
from cutwatch.detector import Detector
from cutwatch.features import Recipe
from cutwatch.forest import Forest, StaticForest
from cutwatch.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.judgement import DEFAULT, Baseline
from cutwatch.learning_forest import LearningForest
from cutwatch.series import Series

Floats = npt.NDArray[np.float64]
Epochs = npt.NDArray[np.int64]
Scored = tuple[Epochs, Floats]

DEFAULT_SIGMAS = 3.0


@dataclass(frozen=True, eq=False)
class Model:
    """A forest, and what its training froze: how rows are made, and what their scores are judged against."""

    forest: Forest
    recipe: Recipe
    baseline: Baseline
    cutoff: Cutoff


class Engine(Protocol):
    """Trains when it is told to, and scores windows in the order of time."""

    def train(self, history: Series) -> Model | None:
        """Learn from a history with excluded times made gaps; None when it is too little."""

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        """The moments (n,) and scores (n,) of the window from `start` and of the lead-in before it."""


@dataclass(frozen=True)
class StaticEngine:
    """One static forest per training, on a uniform sample: what SageMaker's built-in algorithm gives."""

    detector: Detector
    seed: int = 0
    grow: Callable[[Floats, int], Forest] = lambda rows, seed: StaticForest.train(rows, seed=seed)

    def train(self, history: Series) -> Model | None:
        recipe = _recipe(history, self.detector)
        rows = recipe.rows(history).rows
        if len(rows) < MINIMUM_TRAINING_ROWS:
            return None
        forest = self.grow(rows, self.seed)
        likelihood = self.detector.cutoff.method == "likelihood"
        reference = rows[-DEFAULT.baseline_datapoints :] if likelihood else rows
        return _model(forest, recipe, forest.score(reference), self.detector)

    def score(self, model: Model, series: Series, start: datetime) -> Scored:  # noqa: ARG002 - scores all alike
        made = model.recipe.rows(series)
        return made.epochs, model.forest.score(made.rows)


@dataclass
class LearningEngine:
    """A forest that scores each datapoint and then learns it; it lives on as long as its features stay the same."""

    detector: Detector
    seed: int = 0
    _model: Model | None = field(default=None, init=False)
    _epochs: Epochs = field(default_factory=lambda: np.empty(0, np.int64), init=False)
    _scores: Floats = field(default_factory=lambda: np.empty(0), init=False)

    def train(self, history: Series) -> Model | None:
        recipe = _recipe(history, self.detector)
        if self._model and _same_rows(recipe, self._model.recipe):
            forest, first = self._model.forest, self._model.recipe
            recipe = replace(recipe, centre=first.centre, spreads=first.spreads)
        else:
            made = recipe.rows(history)
            if len(made.rows) < MINIMUM_TRAINING_ROWS:
                return None
            size = recipe.shingle_size
            forest = LearningForest.untrained(recipe.features, size, seed=self.seed)
            self._epochs, self._scores = made.epochs, forest.score(made.rows)
        self._model = _model(forest, recipe, self._scores, self.detector)
        return self._model

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        made = model.recipe.rows(series)
        new = made.epochs >= int(start.timestamp())
        self._epochs = np.concatenate([self._epochs, made.epochs[new]])
        self._scores = np.concatenate([self._scores, model.forest.score(made.rows[new])])
        asked = self._epochs >= int(series.start.timestamp())
        return self._epochs[asked], self._scores[asked]


def _recipe(history: Series, detector: Detector) -> Recipe:
    return Recipe.learn(history, detector.features, detector.shingle_size, detector.time_zone)


def _same_rows(one: Recipe, other: Recipe) -> bool:
    """Whether rows of both differ in scale at most, which a forest of one feature does not notice."""
    return one.features == other.features and (
        "residual" not in one.features or one.profile == other.profile
    )


def _model(forest: Forest, recipe: Recipe, scores: Floats, detector: Detector) -> Model:
    baseline = Baseline.of_scores(scores, recipe.explained)
    cutoff = Cutoff.of_scores(scores, detector.cutoff.sigmas or DEFAULT_SIGMAS)
    return Model(forest, recipe, baseline, cutoff)
