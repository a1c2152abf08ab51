"""Simulation of the schedule over a metric's history, without AWS or a server.

Features, forests and detection are exactly the code that the functions run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

import numpy as np

from cutwatch.detection.anomalies import WindowAnomalies, detect_anomalies, measure_window
from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.channels import Measured
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector, Sensitivity
from cutwatch.features.predictability import why_unpredictable
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.registry.event_record import RecordedEvent, incidents
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch.timeseries.windows import is_outgrown, lead_in_start
from cutwatch_cli.backtest.engines import Engine, LearningEngine, Model, StaticEngine
from cutwatch_cli.csv_files.regular_grid import MetricSeries
from cutwatch_cli.replay.schedule import schedule
from cutwatch_cli.report.detector_report import Expected

Observer = Callable[[ScoredWindow, FeatureRecipe, Threshold], None]
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
    expected: Expected
    events_by_sensitivity: Mapping[Sensitivity, int]
    events_at: Mapping[Sensitivity, tuple[AnomalyEvent, ...]]
    weeks: float
    remark: str | None
    """A sentence about an unpredictable metric, from the last training."""


@dataclass(frozen=True)
class Plan:
    """Settings of a simulation.

    Detection never looks ahead. `causal` raises an event with the severity that it begins with, as a detector in real
    time would, instead of the highest that it reaches.
    """

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
    observe: Observer = lambda *_: None,
) -> Backtest:
    """Simulate trainings and weekly transforms; a model has never seen the datapoints that it scores.

    `engine` replaces the one that the plan names; `observe` receives each window with its recipe and threshold.
    """
    series = Series(metric.start, metric.period_seconds, np.array(metric.values))
    chosen = engine or _ENGINES[plan.engine](detector, plan.seed)
    simulation = _Simulation(series, detector, chosen, observe, causal=plan.causal)
    start = metric.start + training_time
    for run in schedule(metric.start, metric.end, training_time):
        if run.kind == "transform":
            if plan.training_schedule == "weekly" or simulation.trains_first(start):
                simulation.train(start)
            simulation.transform(start, run.at)
            start = run.at
        elif plan.training_schedule == "monthly":
            simulation.train(start)
    return simulation.result((metric.end - metric.start - training_time) / timedelta(weeks=1))


class ToJudge(NamedTuple):
    """A window of a backtest with its recipe and threshold."""

    window: ScoredWindow
    recipe: FeatureRecipe
    threshold: Threshold


def windows_to_judge(
    metric: MetricSeries, detector: Detector, training_time: timedelta, plan: Plan = DEFAULT_PLAN
) -> list[ToJudge]:
    """Return the windows of such a backtest with their scores, for detection with other parameters."""
    windows: list[ToJudge] = []
    backtest(
        metric, detector, training_time, plan, observe=lambda *each: windows.append(ToJudge(*each))
    )
    return windows


class _Simulation:
    def __init__(
        self, series: Series, detector: Detector, engine: Engine, observe: Observer, *, causal: bool
    ) -> None:
        self._observe = observe
        self._series, self._detector = series, detector
        self._engine, self._causal = engine, causal
        self._model: Model | None = None
        self._columns = {name: np.full(len(series), np.nan) for name in _COLUMNS}
        self._events: dict[Sensitivity, list[AnomalyEvent]] = {name: [] for name in SENSITIVITIES}
        self._cutoffs: list[tuple[datetime, float]] = []
        self._trained_until: list[datetime] = []
        self._remark: str | None = None

    def train(self, end: datetime) -> None:
        """Learn from the detector's history before `end`; too little history keeps the current model."""
        history = _between(self._series, end - self._detector.history, end).from_first()
        usable = history.usable(self._detector)
        model = self._engine.train(usable)
        if model:
            self._model = model
            self._remark = why_unpredictable(usable)
            self._trained_until.append(end)

    def trains_first(self, start: datetime) -> bool:
        """Return True if a transform from `start` on trains first: without a model, or one of a young metric."""
        if self._model is None:
            return True
        first = datetime.fromtimestamp(self._model.recipe.first, UTC)
        return is_outgrown(first, self._trained_until[-1], start, self._detector.history)

    def transform(self, start: datetime, end: datetime) -> None:
        """Score [start, end) with its history, and detect anomalies."""
        model = self._model
        if model is None:
            return
        read_from = lead_in_start(self._series.period, start)
        observed = _between(self._series, read_from, end).from_first(model.recipe.first)
        epochs, scores = self._engine.score(model, observed.usable(self._detector), start)
        window = ScoredWindow(epochs, scores, observed, int(start.timestamp()))
        threshold = Threshold(self._detector.cutoff.method, model.cutoff)
        self._observe(window, model.recipe, threshold)
        measured = measure_window(window, self._detector, model.recipe)
        self._fill_expected(window, measured)
        for sensitivity in SENSITIVITIES:
            detector = replace(self._detector, sensitivity=sensitivity)
            found = detect_anomalies(window, detector, measured, threshold)
            events = self._continue_incidents(found, sensitivity)
            if sensitivity == self._detector.sensitivity:
                self._fill_columns(found, events, start)

    def _fill_expected(self, window: ScoredWindow, measured: Measured) -> None:
        inside = window.observed.epochs >= window.start
        places = self._positions(window.observed.epochs[inside])
        expectation = measured.expectation
        for name, values in (
            ("expected", expectation.values),
            ("expected_low", expectation.low),
            ("expected_high", expectation.high),
        ):
            self._columns[name][places] = values[inside]

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
        for name, values in (
            ("score", found.scores),
            ("severity", found.severities),
            ("anomaly", found.anomalies),
        ):
            self._columns[name][positions] = values
        self._columns["event"][positions] = 0
        for event in events:
            if not event.continues:
                self._raise(event, found)
        if found.cutoff is not None:
            self._cutoffs.append((start, found.cutoff))

    def _raise(self, event: AnomalyEvent, found: WindowAnomalies) -> None:
        onset = int(datetime.fromisoformat(event.start).timestamp())
        severity = event.severity or 1.0
        if self._causal and event.severity is not None:
            severity = float(found.severities[np.searchsorted(found.epochs, onset)])
        self._columns["event"][self._positions(np.array([onset]))] = severity

    def _positions(self, epochs: Epochs) -> Epochs:
        positions: Epochs = (epochs - int(self._series.start.timestamp())) // self._series.period
        return positions

    def result(self, weeks: float) -> Backtest:
        """Return the results so far."""
        new = {name: self._incidents(events) for name, events in self._events.items()}
        return Backtest(
            self._columns["score"],
            self._columns["severity"],
            self._columns["anomaly"],
            self._columns["event"],
            new[self._detector.sensitivity],
            tuple(self._cutoffs),
            tuple(self._trained_until),
            Expected(*(self._columns[f"expected{edge}"] for edge in ("", "_low", "_high"))),
            {name: len(events) for name, events in new.items()},
            new,
            weeks,
            self._remark,
        )

    def _incidents(self, events: Sequence[AnomalyEvent]) -> tuple[AnomalyEvent, ...]:
        """Join the parts of each incident, as the registry does."""
        parts = [RecordedEvent(self._detector.name, event, "") for event in events]
        return tuple(each.event for each in reversed(incidents(parts)))


_COLUMNS = (
    *("score", "severity", "anomaly", "event"),
    *("expected", "expected_low", "expected_high"),
)


def _between(series: Series, start: datetime, end: datetime) -> Series:
    first = max(int((start - series.start).total_seconds()) // series.period, 0)
    last = max(int((end - series.start).total_seconds()) // series.period, first)
    return Series(series.time_at(first), series.period, series.values[first:last])
