"""A backtest whose windows are also scored live, in runs of any length."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.incidents import last_event
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.live.evaluation import Evaluation, evaluate
from cutwatch.live.live_incident import IncidentChange, Incidents
from cutwatch.live.live_series import LiveModel, LiveSeries
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series
from cutwatch_cli.backtest.engines import LearningEngine, Model, Scored
from cutwatch_cli.backtest.simulation import Plan, backtest
from cutwatch_cli.csv_files.regular_grid import MetricSeries

# Returns where a window of this many datapoints is cut into runs.
Cuts = Callable[[int], list[int]]


@dataclass
class RecordingEngine(LearningEngine):
    """Keeps the checkpoint from which each window was scored."""

    checkpoints: list[bytes] = field(default_factory=list)

    def score(self, model: Model, series: Series, start: datetime) -> Scored:
        assert self._state is not None
        self.checkpoints.append(self._state.to_bytes())
        return super().score(model, series, start)


@dataclass(frozen=True, eq=False)
class Window:
    """A window of the backtest, with what scores it."""

    window: ScoredWindow
    recipe: FeatureRecipe
    threshold: Threshold
    checkpoint: bytes

    @property
    def first(self) -> int:
        """The position of its first datapoint in its series."""
        return int(np.count_nonzero(self.window.observed.epochs < self.window.start))


def windows_of(
    metric: MetricSeries, detector: Detector, training_time: timedelta
) -> tuple[tuple[AnomalyEvent, ...], list[Window]]:
    """Return the incidents of a causal backtest, and its windows."""
    engine = RecordingEngine(detector)
    judged: list[tuple[ScoredWindow, FeatureRecipe, Threshold]] = []
    result = backtest(
        metric,
        detector,
        training_time,
        Plan("lambda", causal=True),
        engine,
        lambda *each: judged.append(each),
    )
    pairs = zip(judged, engine.checkpoints, strict=True)
    return result.events, [Window(*each, checkpoint) for each, checkpoint in pairs]


@dataclass
class LiveRuns:
    """Scores windows live, one after the other."""

    detector: Detector
    before: LastEvent | None = None
    incidents: Incidents = field(default_factory=dict)
    changes: list[IncidentChange] = field(default_factory=list)

    def score(self, window: Window, cuts: list[int]) -> tuple[LiveSeries, Evaluation]:
        """Score a window in runs; return the series and the evaluation at its end."""
        series = begin(window, self.detector, self.before)
        evaluation = None
        for values in runs(window, cuts):
            series.extend(values, self.detector)
            # To a clock at the window's beginning, nothing is too old to be news.
            now = datetime.fromtimestamp(window.window.start, UTC)
            evaluation = evaluate(series, self.detector, self.incidents, now)
            self.incidents = evaluation.incidents
            self.changes += evaluation.changes
        assert evaluation is not None
        self.before = last_event(evaluation.events, self.before)
        return series, evaluation


def begin(window: Window, detector: Detector, before: LastEvent | None) -> LiveSeries:
    """Begin a window live, from the same checkpoint."""
    observed, first = window.window.observed, window.first
    history = Series(observed.start, observed.period, observed.values[:first])
    model = LiveModel(window.recipe, window.threshold, window.window.start, before)
    return LiveSeries.begin(
        model, ForestCheckpoint.from_bytes(window.checkpoint), history, detector
    )


def runs(window: Window, cuts: list[int]) -> Iterator[Floats]:
    """Yield the datapoints of a window between cuts."""
    values = window.window.observed.values[window.first :]
    yield from (each for each in np.split(values, cuts) if len(each))
