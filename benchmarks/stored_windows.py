"""Windows with their forests' scores, stored once and judged again with other parameters."""

import pickle
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from contenders import FINEST, detector_of
from labelled import Flags, LabelledMetric

from cutwatch.detection.anomalies import detect_anomalies, measure_window
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detection.parameters import ThresholdParameters
from cutwatch.detectors.detector import Detector
from cutwatch.features.expectation import Expectation, expect
from cutwatch.timestamps import parse_timestamp
from cutwatch_cli.backtest.simulation import (
    EngineName,
    Plan,
    ToJudge,
    TrainingSchedule,
    default_training_time,
    windows_to_judge,
)
from cutwatch_cli.csv_files.csv_series import read_csv


class StoredMetric(NamedTuple):
    """A metric's windows: its first epoch second, and the place of each row of its file on the grid."""

    start: int
    detector: Detector
    positions: list[int]
    windows: list[ToJudge]


class Stored(NamedTuple):
    """A labelled metric and the file of its windows."""

    metric: LabelledMetric
    path: Path

    def read(self) -> StoredMetric:
        """Return the windows."""
        stored: StoredMetric = pickle.loads(self.path.read_bytes())
        return stored


def store_windows(
    metrics: Sequence[LabelledMetric], folder: Path, plan: Plan, pool: Executor
) -> list[Stored]:
    """Score the metrics whose windows are not in the folder yet."""
    stored = [
        Stored(metric, folder / f"{plan.engine}-{plan.seed}-{number}.pickle")
        for number, metric in enumerate(metrics)
    ]
    list(pool.map(partial(_store, plan=plan), stored))
    return stored


def alarms(stored: Stored, sets: Sequence[ThresholdParameters]) -> list[Flags]:
    """Return the rows (n,) of the file on which events begin, for each set of parameters."""
    start, detector, positions, windows = stored.read()
    expectations = [
        expect(window.observed.usable(detector), window.start, detector.time_zone)
        for window, _, _ in windows
    ]
    first_rows = np.zeros(len(positions), bool)
    first_rows[np.unique(positions, return_index=True)[1]] = True
    found = []
    for parameters in sets:
        begins = _begins(detector, windows, expectations, parameters)
        onsets = [(epoch - start) // detector.period for epoch in begins]
        found.append(np.isin(positions, onsets) & first_rows)
    return found


def _begins(
    detector: Detector,
    windows: Sequence[ToJudge],
    expectations: Sequence[Expectation],
    parameters: ThresholdParameters,
) -> list[int]:
    begins: list[int] = []
    last: LastEvent | None = None
    for (window, recipe, threshold), expectation in zip(windows, expectations, strict=True):
        measured = measure_window(window, detector, recipe, parameters, expectation)
        found = detect_anomalies(window, detector, measured, threshold)
        for event in continue_incidents(found.events, last, detector.period):
            last = LastEvent(event.id, event.end)
            if not event.continues:
                begins.append(int(parse_timestamp(event.start).timestamp()))
    return begins


def default_plan(engine: EngineName, seed: int) -> Plan:
    """Return the plan of an engine: learning forests are rebuilt monthly, static ones trained weekly."""
    return Plan(engine, "monthly" if engine == "lambda" else "weekly", seed=seed)


def _store(stored: Stored, plan: Plan) -> None:
    if stored.path.exists():
        return
    series = read_csv(stored.metric.path)
    schedule: TrainingSchedule = (
        "weekly" if series.period_seconds > FINEST else plan.training_schedule
    )
    detector = detector_of(series, plan.engine)
    windows = windows_to_judge(
        series, detector, default_training_time(series), replace(plan, training_schedule=schedule)
    )
    start = int(series.start.timestamp())
    stored.path.write_bytes(
        pickle.dumps(StoredMetric(start, detector, list(series.positions), windows))
    )
