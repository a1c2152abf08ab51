"""Whether thresholds that are searched on two collections hold on the third, and what each is worth.

The forests' scores are computed once; windows are then judged again with other parameters. Each named parameter takes five
values, one at a time; for each pair of collections the value that is best by the printed objective is taken of each.
"""

import pickle
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from contenders import FINEST, detector_of
from labelled import Flags, LabelledMetric, Quality, fleet_quality, nab_quality
from rich.console import Console
from rich.table import Table

from cutwatch.detection.anomalies import detect_anomalies, measure_window
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detection.parameters import DEFAULT, ThresholdParameters
from cutwatch.detectors.detector import Detector
from cutwatch.timestamps import parse_timestamp
from cutwatch_cli.backtest.simulation import (
    Plan,
    ToJudge,
    default_training_time,
    windows_to_judge,
)
from cutwatch_cli.csv_files.csv_series import read_csv

NAMES = (
    *("change_forest", "change_size", "deviation", "residual", "level", "peak_share"),
    *("recurrence", "least_deviation_of_change", "least_deviation_of_level", "deviation_floor"),
)
FACTORS = (0.8, 0.9, 1.0, 1.1, 1.2)
COLLECTIONS = ("NAB", "KPI", "operations")
OBJECTIVE = "mean of NAB / 100, and of recall - 0.2 x false alarms a week"

Results = Mapping[str, Quality]


class Job(NamedTuple):
    """A metric's windows, to be judged with these parameters."""

    metric: LabelledMetric
    windows: Path
    parameters: ThresholdParameters


def print_leave_one_out(metrics: Sequence[LabelledMetric], console: Console) -> None:
    """Search, measure and print both tables."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        paths = [Path(folder) / f"{number}.pickle" for number in range(len(metrics))]
        list(pool.map(_store_windows, metrics, paths))

        def measured(parameters: ThresholdParameters) -> Results:
            jobs = [Job(*pair, parameters) for pair in zip(metrics, paths, strict=True)]
            alarms = dict(zip(metrics, pool.map(_alarms, jobs), strict=True))
            return {name: _quality(name, alarms) for name in COLLECTIONS}

        default = measured(DEFAULT)
        moved = {
            (name, factor): default if factor == 1 else measured(_with(name, factor))
            for name in NAMES
            for factor in FACTORS
        }
        console.print(_sensitivity(moved))
        console.print(f"\nObjective: {OBJECTIVE}")
        for left_out in COLLECTIONS:
            others = [name for name in COLLECTIONS if name != left_out]
            best = {name: _best(moved, name, others) for name in NAMES}
            values = {name: factor * getattr(DEFAULT, name) for name, factor in best.items()}
            found = measured(replace(DEFAULT, **values))
            chosen = ", ".join(f"{n} x {f}" for n, f in best.items() if f != 1) or "as it ships"
            console.print(
                f"searched on {' and '.join(others)}: {chosen}\n"
                f"  left out {left_out}: {_told(found[left_out])}; as it ships {_told(default[left_out])}"
            )


def _with(name: str, factor: float) -> ThresholdParameters:
    return replace(DEFAULT, **{name: factor * getattr(DEFAULT, name)})


def _best(
    moved: Mapping[tuple[str, float], Results], name: str, collections: Sequence[str]
) -> float:
    return max(FACTORS, key=lambda factor: _objective(moved[name, factor], collections))


def _objective(results: Results, collections: Sequence[str]) -> float:
    return float(np.mean([_worth(results[name]) for name in collections]))


def _worth(quality: Quality) -> float:
    if np.isnan(quality.score):
        return quality.recall - 0.2 * quality.false_alarms
    return quality.score / 100


def _store_windows(metric: LabelledMetric, path: Path) -> None:
    series = read_csv(metric.path)
    schedule = "weekly" if series.period_seconds > FINEST else "monthly"
    plan = Plan("lambda", schedule, seed=1)
    detector = detector_of(series)
    windows = windows_to_judge(series, detector, default_training_time(series), plan)
    path.write_bytes(pickle.dumps((series.start, detector, series.positions, windows)))


@cache
def _stored(path: Path) -> tuple[int, Detector, list[int], list[ToJudge]]:
    start, detector, positions, windows = pickle.loads(path.read_bytes())
    return int(start.timestamp()), detector, positions, windows


def _alarms(job: Job) -> Flags:
    start, detector, positions, windows = _stored(job.windows)
    onsets: set[int] = set()
    last: LastEvent | None = None
    for window, recipe, threshold in windows:
        measured = measure_window(window, detector, recipe, job.parameters)
        found = detect_anomalies(window, detector, measured, threshold)
        for event in continue_incidents(found.events, last, detector.period):
            last = LastEvent(event.id, event.end)
            if not event.continues:
                begins = int(parse_timestamp(event.start).timestamp())
                onsets.add((begins - start) // detector.period)
    first_rows = np.zeros(len(positions), bool)
    first_rows[np.unique(positions, return_index=True)[1]] = True
    return np.isin(positions, list(onsets)) & first_rows


def _quality(collection: str, alarms: Mapping[LabelledMetric, Flags]) -> Quality:
    own = {metric: flags for metric, flags in alarms.items() if metric.collection == collection}
    judge = nab_quality if collection == "NAB" else fleet_quality
    return judge(list(own), {metric.path: flags for metric, flags in own.items()})


def _sensitivity(moved: Mapping[tuple[str, float], Results]) -> Table:
    table = Table(title="Each parameter moved alone: NAB · KPI · operations", box=None)
    table.add_column("", no_wrap=True)
    for factor in FACTORS:
        table.add_column(f"x {factor}", justify="right", no_wrap=True)
    for name in NAMES:
        cells = [
            " · ".join(_told(moved[name, factor][c]) for c in COLLECTIONS) for factor in FACTORS
        ]
        table.add_row(name, *cells)
    return table


def _told(quality: Quality) -> str:
    if np.isnan(quality.score):
        return f"{quality.recall:.2f}@{quality.false_alarms:.2f}"
    return f"{quality.score:.1f}"
