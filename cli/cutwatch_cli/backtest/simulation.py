"""Simulation of the schedule over a metric's history, without AWS or a server.

Features, forests and detection are exactly the code that the functions run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

import numpy as np

from cutwatch.detection.adaptive_threshold import DEFAULT, detect
from cutwatch.detection.anomalies import WindowAnomalies, detect_anomalies
from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.causal_threshold import detect_causally
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector, Sensitivity
from cutwatch.features.seasonality import Profile
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch_cli.backtest.engines import Engine, LearningEngine, Model, StaticEngine
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.schedule import schedule

TrainingSchedule = Literal["monthly", "weekly"]
EngineName = Literal["sagemaker", "lambda"]
_ENGINES: Mapping[EngineName, Callable[[Detector, int], Engine]] = {
    "sagemaker": StaticEngine,
    "lambda": LearningEngine,
}

PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
SENSITIVITIES: tuple[Sensitivity, ...] = ("low", "medium", "high")


@dataclass(frozen=True, eq=False)
class Backtest:
    """Results on the grid of the series, each (n,), NaN where nothing was scored; and the events, each raised once."""

    scores: Floats
    severities: Floats
    anomalies: Floats
    raised: Floats
    events: tuple[AnomalyEvent, ...]
    cutoffs: tuple[tuple[datetime, float], ...]
    trained_until: tuple[datetime, ...]
    usual: tuple[tuple[datetime, Profile], ...]
    events_by_sensitivity: Mapping[Sensitivity, int]
    weeks: float


@dataclass(frozen=True)
class Plan:
    """Settings of a simulation: the engine, the training schedule, and whether detection may look ahead within a window."""

    engine: EngineName = "sagemaker"
    training_schedule: TrainingSchedule = "monthly"
    causal: bool = False
    seed: int = 0


DEFAULT_PLAN = Plan()


def default_training_time(series: MetricSeries) -> timedelta:
    """Return the time used for training only: 15 % of the history, at most 750 datapoints."""
    rows = min(int(len(series.values) * PROBATION_SHARE), PROBATION_ROWS)
    return timedelta(seconds=rows * series.period_seconds)


def backtest(
    metric: MetricSeries,
    detector: Detector,
    training_time: timedelta,
    plan: Plan = DEFAULT_PLAN,
    engine: Engine | None = None,
) -> Backtest:
    """Simulate trainings and weekly transforms; a model has never seen the datapoints that it scores.

    `engine` replaces the one that the plan names.
    """
    series = Series(metric.start, metric.period_seconds, np.array(metric.values))
    chosen = engine or _ENGINES[plan.engine](detector, plan.seed)
    simulation = _Simulation(series, detector, chosen, causal=plan.causal)
    start = metric.start + training_time
    for run in schedule(metric.start, metric.end, training_time):
        if run.kind == "transform":
            if plan.training_schedule == "weekly":
                simulation.train(start)
            simulation.transform(start, run.at)
            start = run.at
        elif plan.training_schedule == "monthly":
            simulation.train(start)
    return simulation.result((metric.end - metric.start - training_time) / timedelta(weeks=1))


class _Simulation:
    def __init__(self, series: Series, detector: Detector, engine: Engine, *, causal: bool) -> None:
        self._series, self._detector = series, detector
        self._engine, self._causal = engine, causal
        self._model: Model | None = None
        self._columns = {name: np.full(len(series), np.nan) for name in _COLUMNS}
        self._events: dict[Sensitivity, list[AnomalyEvent]] = {name: [] for name in SENSITIVITIES}
        self._cutoffs: list[tuple[datetime, float]] = []
        self._trained_until: list[datetime] = []
        self._usual: list[tuple[datetime, Profile]] = []

    def train(self, end: datetime) -> None:
        """Learn from the detector's history before `end`; too little history keeps the current model."""
        history = _between(self._series, end - self._detector.history, end)
        model = self._engine.train(history.usable(self._detector))
        if model:
            self._model = model
            self._trained_until.append(end)
            self._usual.append((end, model.recipe.profile))

    def transform(self, start: datetime, end: datetime) -> None:
        """Score [start, end) with the lead-in that features and detection need, and detect anomalies."""
        model = self._model
        if model is None:
            return
        periods = model.recipe.lead_in + -(-DEFAULT.lead_in_seconds // self._series.period)
        lead_in = timedelta(seconds=periods * self._series.period)
        observed = _between(self._series, start - lead_in, end)
        epochs, scores = self._engine.score(model, observed.usable(self._detector), start)
        # Without look-ahead, nothing is learned of the end of a window from what came after it.
        follows = bool(self._cutoffs) and not self._causal
        window = ScoredWindow(epochs, scores, observed, int(start.timestamp()), follows)
        threshold = Threshold(
            self._detector.cutoff.method,
            model.baseline,
            model.cutoff,
            detect_causally if self._causal else detect,
        )
        for sensitivity in SENSITIVITIES:
            detector = replace(self._detector, sensitivity=sensitivity)
            found = detect_anomalies(window, detector, model.recipe, threshold)
            events = self._continue_incidents(found, sensitivity)
            if sensitivity == self._detector.sensitivity:
                self._fill_columns(found, events, start)

    def _continue_incidents(
        self, found: WindowAnomalies, sensitivity: Sensitivity
    ) -> list[AnomalyEvent]:
        known = self._events[sensitivity]
        last = LastEvent(known[-1].id, known[-1].end) if known else None
        events = continue_incidents(found.events, last, self._series.period)
        known += events
        return events

    def _fill_columns(
        self, found: WindowAnomalies, events: Sequence[AnomalyEvent], start: datetime
    ) -> None:
        positions = self._positions(found.epochs)
        inside = found.epochs >= int(start.timestamp())
        for name, values in (
            ("score", found.scores),
            ("severity", found.severities),
            ("anomaly", found.anomalies),
        ):
            self._columns[name][positions[inside]] = values[inside]
        self._columns["anomaly"][positions[found.anomalies == 1]] = 1
        self._columns["event"][positions[inside]] = 0
        for event in events:
            if not event.continues:
                onset = np.array([int(datetime.fromisoformat(event.start).timestamp())])
                self._columns["event"][self._positions(onset)] = event.severity or 1.0
        if found.cutoff is not None:
            self._cutoffs.append((start, found.cutoff))

    def _positions(self, epochs: Epochs) -> Epochs:
        positions: Epochs = (epochs - int(self._series.start.timestamp())) // self._series.period
        return positions

    def result(self, weeks: float) -> Backtest:
        """Return the results so far."""
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
            tuple(self._usual),
            {name: len(events) for name, events in new.items()},
            weeks,
        )


_COLUMNS = ("score", "severity", "anomaly", "event")


def _between(series: Series, start: datetime, end: datetime) -> Series:
    first = max(int((start - series.start).total_seconds()) // series.period, 0)
    last = max(int((end - series.start).total_seconds()) // series.period, first)
    return Series(series.time_at(first), series.period, series.values[first:last])
