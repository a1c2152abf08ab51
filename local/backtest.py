"""What a detector would have raised over a metric's history: the schedule simulated, without AWS and without a server.

Features, forest and judgement are exactly the code that the functions and the local SageMaker run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt
from krcf import RandomCutForest

from cutwatch.cutoff import Cutoff
from cutwatch.detector import Detector, Sensitivity
from cutwatch.features import Recipe
from cutwatch.insufficient_data import MINIMUM_TRAINING_ROWS
from cutwatch.judgement import DEFAULT, Baseline
from cutwatch.moments import format_moment
from cutwatch.outcomes import AnomalyEvent
from cutwatch.publication import continued
from cutwatch.registry import LastEvent
from cutwatch.series import Series
from cutwatch.verdicts import ScoredWindow
from local.aws.sagemaker.random_cut_forest import Hyperparameters, load, score, train
from local.regular_grid import MetricSeries
from local.schedule import schedule

Floats = npt.NDArray[np.float64]
TrainingSchedule = Literal["monthly", "weekly"]

NUM_TREES, NUM_SAMPLES_PER_TREE = 100, 256
DEFAULT_SIGMAS = 3.0
PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
SENSITIVITIES: tuple[Sensitivity, ...] = ("low", "medium", "high")


@dataclass(frozen=True, eq=False)
class Backtest:
    """On the grid of the series, each (n,) with NaN where nothing was scored; and the events, told once each."""

    scores: Floats
    severities: Floats
    anomalies: Floats
    raised: Floats
    events: tuple[AnomalyEvent, ...]
    cutoffs: tuple[tuple[datetime, float], ...]
    trained_until: tuple[datetime, ...]
    events_by_sensitivity: Mapping[Sensitivity, int]
    weeks: float


@dataclass(frozen=True, eq=False)
class _Trained:
    recipe: Recipe
    forest: RandomCutForest
    baseline: Baseline
    cutoff: Cutoff


def default_training_time(series: MetricSeries) -> timedelta:
    """15 % of the history, at most 750 datapoints, is only learned from."""
    rows = min(int(len(series.values) * PROBATION_SHARE), PROBATION_ROWS)
    return timedelta(seconds=rows * series.period_seconds)


def backtest(
    metric: MetricSeries,
    detector: Detector,
    training_time: timedelta,
    training_schedule: TrainingSchedule = "weekly",
) -> Backtest:
    """Simulate trainings and weekly transforms; a model never has seen the datapoints that it scores."""
    series = Series(metric.start, metric.period_seconds, np.array(metric.values))
    simulation = _Simulation(series, detector)
    start = metric.start + training_time
    for run in schedule(metric.start, metric.end, training_time):
        if run.kind == "transform":
            if training_schedule == "weekly":
                simulation.train(start)
            simulation.transform(start, run.at)
            start = run.at
        elif training_schedule == "monthly":
            simulation.train(start)
    return simulation.result((metric.end - metric.start - training_time) / timedelta(weeks=1))


class _Simulation:
    def __init__(self, series: Series, detector: Detector) -> None:
        self._series, self._detector = series, detector
        self._trained: _Trained | None = None
        self._columns = {name: np.full(len(series), np.nan) for name in _COLUMNS}
        self._events: dict[Sensitivity, list[AnomalyEvent]] = {name: [] for name in SENSITIVITIES}
        self._cutoffs: list[tuple[datetime, float]] = []
        self._trained_until: list[datetime] = []

    def train(self, end: datetime) -> None:
        """Learn from the detector's history before `end`; too little of it leaves the model as it was."""
        history = _between(self._series, end - self._detector.history, end)
        usable = history.usable(self._detector)
        recipe = Recipe.learn(
            usable, self._detector.features, self._detector.shingle_size, self._detector.time_zone
        )
        rows = recipe.rows(usable)
        if len(rows.rows) < MINIMUM_TRAINING_ROWS:
            return
        size = Hyperparameters(recipe.dimensions, NUM_TREES, NUM_SAMPLES_PER_TREE)
        forest = load(train(rows.rows, size))
        scores = np.array(score(forest, rows.rows))
        self._trained = _Trained(
            recipe,
            forest,
            Baseline.of_scores(rows.epochs, scores, recipe.explained),
            Cutoff.of_scores(scores, self._detector.cutoff.sigmas or DEFAULT_SIGMAS),
        )
        self._trained_until.append(end)

    def transform(self, start: datetime, end: datetime) -> None:
        """Score [start, end) with the lead-in that features and judgement need, and judge it."""
        model = self._trained
        if model is None:
            return
        periods = model.recipe.lead_in + -(-DEFAULT.lead_in_seconds // self._series.period)
        lead_in = timedelta(seconds=periods * self._series.period)
        observed = _between(self._series, start - lead_in, end)
        rows = model.recipe.rows(observed.usable(self._detector))
        scores = np.array(score(model.forest, rows.rows))
        follows = bool(self._cutoffs)
        for sensitivity in SENSITIVITIES:
            judged = replace(self._detector, sensitivity=sensitivity)
            window = _window(observed, judged, model, start, rows.epochs, scores, follows=follows)
            self._judge(window, sensitivity)

    def _judge(self, window: ScoredWindow, sensitivity: Sensitivity) -> None:
        verdicts = window.verdicts()
        known = self._events[sensitivity]
        last = LastEvent(known[-1].id, known[-1].end) if known else None
        period = timedelta(seconds=self._series.period)
        told = continued(verdicts.events, last, period)
        known += told
        if sensitivity != self._detector.sensitivity:
            return
        positions = self._positions(verdicts.epochs)
        inside = verdicts.epochs >= window.start
        for name, values in (
            ("score", verdicts.scores),
            ("severity", verdicts.severities),
            ("anomaly", verdicts.anomalies),
        ):
            self._columns[name][positions[inside]] = values[inside]
        self._columns["anomaly"][positions[verdicts.anomalies == 1]] = 1
        self._columns["event"][positions[inside]] = 0
        for event in told:
            if not event.continues:
                onset = np.array([int(datetime.fromisoformat(event.start).timestamp())])
                self._columns["event"][self._positions(onset)] = event.severity or 1.0
        if verdicts.cutoff is not None:
            self._cutoffs.append(
                (datetime.fromisoformat(window.description["start"]), verdicts.cutoff)
            )

    def _positions(self, epochs: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        positions: npt.NDArray[np.int64] = (
            epochs - int(self._series.start.timestamp())
        ) // self._series.period
        return positions

    def result(self, weeks: float) -> Backtest:
        """What was found."""
        new = {
            name: tuple(event for event in events if not event.continues)
            for name, events in self._events.items()
        }
        return Backtest(
            self._columns["score"],
            self._columns["severity"],
            self._columns["anomaly"],
            self._columns["event"],
            new[self._detector.sensitivity],
            tuple(self._cutoffs),
            tuple(self._trained_until),
            {name: len(events) for name, events in new.items()},
            weeks,
        )


_COLUMNS = ("score", "severity", "anomaly", "event")


def _between(series: Series, start: datetime, end: datetime) -> Series:
    first = max(int((start - series.start).total_seconds()) // series.period, 0)
    last = max(int((end - series.start).total_seconds()) // series.period, first)
    return Series(series.moment(first), series.period, series.values[first:last])


def _window(
    observed: Series,
    detector: Detector,
    model: _Trained,
    start: datetime,
    epochs: npt.NDArray[np.int64],
    scores: Floats,
    *,
    follows: bool,
) -> ScoredWindow:
    description = {
        "detector": detector.to_payload(),
        "start": format_moment(start),
        "recipe": model.recipe.to_payload(),
        "baseline": model.baseline.to_payload(),
        "cutoff": model.cutoff.to_payload(),
        "cutoff_method": detector.cutoff.method,
        "follows": follows,
        "series_start": format_moment(observed.start),
        "values": [None if np.isnan(value) else value for value in observed.values.tolist()],
    }
    return ScoredWindow(description, epochs, scores)
