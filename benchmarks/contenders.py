"""What is compared: Cutwatch as it ships, another forest under the same features and judgement, and plain rules."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from sklearn.ensemble import IsolationForest

from cutwatch.detectors.detector import CutoffRule, Detector, Engine
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.backtest.engines import StaticEngine
from cutwatch_cli.backtest.simulation import Backtest, Plan, backtest, default_training_time
from cutwatch_cli.backtest.static_forest import StaticForest
from cutwatch_cli.csv_files.regular_grid import MetricSeries

# What a contender raises, on the grid of a metric: 1 and more where it alarms.
Contender = Callable[[MetricSeries, int], Floats]

# The spread of a Random Cut Forest's scores on usual data, which the judgement's parameters are made for.
_USUAL_SPREAD = 0.3
_A_DAY, FINEST = 86_400, 300
_SIGMAS, _ROBUST_SIGMAS = 3.0, 8 * 1.4826


@dataclass(frozen=True)
class Cutwatch:
    """Cutwatch itself, as planned."""

    plan: Plan

    def __call__(self, metric: MetricSeries, seed: int) -> Floats:
        plan = replace(self.plan, seed=seed)
        # Coarse metrics are short: a month is most of what there is.
        if metric.period_seconds > FINEST:
            plan = replace(plan, training_schedule="weekly")
        detector = detector_of(metric, plan.engine)
        return backtest(metric, detector, default_training_time(metric), plan).raised


def isolation_forest(metric: MetricSeries, seed: int) -> Floats:
    """scikit-learn's IsolationForest in the place of the Random Cut Forest, trained weekly."""
    detector = detector_of(metric)
    return _weekly(metric, detector, StaticEngine(detector, seed, IsolationScores)).raised


def original_rule(metric: MetricSeries, seed: int) -> Floats:
    """The predecessor's: 50 trees of 100 values, and every datapoint above its own week's mean + 3 sigma."""
    rule = CutoffRule(method="window", sigmas=_SIGMAS)
    detector = replace(detector_of(metric), features=("value",), cutoff=rule)
    engine = StaticEngine(
        detector,
        seed,
        lambda rows, seed: StaticForest.train(rows, trees=50, samples=100, seed=seed),
    )
    return _weekly(metric, detector, engine).anomalies


@dataclass(frozen=True)
class RowsATree:
    """Cutwatch with a static forest whose trees have at most so many rows, trained weekly."""

    rows: int

    def __call__(self, metric: MetricSeries, seed: int) -> Floats:
        detector = detector_of(metric)
        engine = StaticEngine(
            detector,
            seed,
            lambda rows, seed: StaticForest.train(rows, samples=self.rows, seed=seed),
        )
        return _weekly(metric, detector, engine).raised


def rolling_z_score(metric: MetricSeries, seed: int) -> Floats:  # noqa: ARG001 - nothing is drawn
    """Every datapoint more than 3 deviations from the mean of the day before it."""
    values = np.array(metric.values)
    size = max(_A_DAY // metric.period_seconds, 12)
    before = np.lib.stride_tricks.sliding_window_view(values, size)[:-1]
    with np.errstate(all="ignore"):
        mean, deviation = np.nanmean(before, axis=1), np.nanstd(before, axis=1)
        z_scores = np.abs(values[size:] - mean) / deviation
    return np.concatenate([np.zeros(size), z_scores > _SIGMAS]).astype(np.float64)


def difference_z_score(metric: MetricSeries, seed: int) -> Floats:  # noqa: ARG001 - nothing is drawn
    """Every step more than 8 robust deviations from the median step at its time of day, by all days before it."""
    values = np.array(metric.values)
    steps = np.diff(values, prepend=values[0])
    slots = max(_A_DAY // metric.period_seconds, 1)
    days = -(-len(steps) // slots)
    grid = np.full(days * slots, np.nan)
    grid[: len(steps)] = steps
    grid = grid.reshape(days, slots)
    alarms = np.zeros(grid.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for day in range(2, days):
            before = grid[:day]
            centre = np.nanmedian(before, axis=0)
            spread = np.nanmedian(np.abs(before - centre), axis=0)
            least = np.nanmedian(np.abs(before - centre)) or 1e-9
            alarms[day] = np.abs(grid[day] - centre) > _ROBUST_SIGMAS * np.maximum(spread, least)
    return alarms.ravel()[: len(steps)]


class IsolationScores:
    """An isolation forest, its scores stretched to the spread that the judgement expects."""

    def __init__(self, rows: Floats, seed: int) -> None:
        self._forest = IsolationForest(random_state=seed).fit(rows)
        self._spread = float(np.std(self._forest.score_samples(rows))) or 1.0

    def score(self, rows: Floats) -> Floats:
        scores: Floats = -self._forest.score_samples(rows) / self._spread * _USUAL_SPREAD
        return scores


def detector_of(metric: MetricSeries, engine: Engine = "sagemaker") -> Detector:
    """The default detector of a metric."""
    return Detector(
        name="benchmark",
        namespace="Cutwatch/Csv",
        metric="metric",
        statistic="Average",
        period=metric.period_seconds,
        engine=engine,
    )


def _weekly(metric: MetricSeries, detector: Detector, engine: StaticEngine) -> Backtest:
    plan = Plan("sagemaker", "weekly")
    return backtest(metric, detector, default_training_time(metric), plan, engine)
