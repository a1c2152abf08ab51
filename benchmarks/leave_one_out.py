"""Whether thresholds that are searched on two collections hold on the third, and what each is worth.

The forests' scores are computed once; windows are then judged again with other parameters. Each named parameter takes five
values, one at a time; for each pair of collections the value that is best by the printed objective is taken of each.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from labelled import Flags, LabelledMetric, Quality, fleet_quality, nab_quality
from rich.console import Console
from rich.table import Table
from stored_windows import alarms, default_plan, store_windows

from cutwatch.detection.parameters import DEFAULT, ThresholdParameters

NAMES = (
    *("change_forest", "change_size", "deviation", "residual", "level", "peak_share"),
    *("recurrence", "least_deviation_of_change", "least_deviation_of_level", "deviation_floor"),
)
FACTORS = (0.8, 0.9, 1.0, 1.1, 1.2)
COLLECTIONS = ("NAB", "KPI", "operations")
OBJECTIVE = "mean of NAB / 100, and of recall - 0.2 x false alarms a week"

Results = Mapping[str, Quality]


def print_leave_one_out(metrics: Sequence[LabelledMetric], folder: Path, console: Console) -> None:
    """Search, measure and print both tables; the folder keeps the scores."""
    with ProcessPoolExecutor() as pool:
        stored = store_windows(metrics, folder, default_plan("lambda", seed=1), pool)

        def measured(sets: Sequence[ThresholdParameters]) -> list[Results]:
            found = list(pool.map(partial(alarms, sets=sets), stored))
            by_set = [dict(zip(metrics, flags, strict=True)) for flags in zip(*found, strict=True)]
            return [{name: _quality(name, each) for name in COLLECTIONS} for each in by_set]

        trials = list(product(NAMES, FACTORS))
        moved = dict(zip(trials, measured([_with(*trial) for trial in trials]), strict=True))
        default = moved[NAMES[0], 1.0]
        console.print(_sensitivity(moved))
        console.print(f"\nObjective: {OBJECTIVE}")
        for left_out in COLLECTIONS:
            others = [name for name in COLLECTIONS if name != left_out]
            best = {name: _best(moved, name, others) for name in NAMES}
            values = {name: factor * getattr(DEFAULT, name) for name, factor in best.items()}
            [found] = measured([replace(DEFAULT, **values)])
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


def _quality(collection: str, raised: Mapping[LabelledMetric, Flags]) -> Quality:
    own = {metric: flags for metric, flags in raised.items() if metric.collection == collection}
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
