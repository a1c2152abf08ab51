"""How young metrics fare: false alarms and recall in the first week that is scored, beside those of later weeks."""

import csv
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from labelled import WEEK, Flags, LabelledMetric, Span, runs
from rich.console import Console
from rich.table import Table
from stored_windows import Stored, StoredMetric, alarms, default_plan, store_windows

from cutwatch.detection.parameters import DEFAULT
from cutwatch_cli.backtest.simulation import EngineName

ENGINES: Sequence[EngineName] = ("lambda", "sagemaker")
COLLECTIONS = ("NAB", "KPI", "operations")


class Part(NamedTuple):
    """What was raised and found in some of a metric's weeks."""

    false: int = 0
    weeks: float = 0.0
    found: int = 0
    labelled: int = 0

    def plus(self, other: "Part") -> "Part":
        """Return both together."""
        return Part(*(mine + others for mine, others in zip(self, other, strict=True)))

    @property
    def rate(self) -> float:
        """False alarms a metric and week."""
        return self.false / self.weeks

    @property
    def recall(self) -> float:
        """The share of labelled events that were found."""
        return self.found / self.labelled


def print_first_week(
    metrics: Sequence[LabelledMetric], folder: Path, seeds: int, console: Console
) -> None:
    """Print a row for each engine, seed and collection; the folder keeps the scores."""
    table = Table(title="The first scored week beside later ones", box=None)
    table.add_column("", no_wrap=True)
    for heading in (
        "false alarms",
        "a week",
        "later",
        "times",
        "found",
        "recall",
        "later",
        "times",
    ):
        table.add_column(heading, justify="right", no_wrap=True)
    with ProcessPoolExecutor() as pool:
        for engine in ENGINES:
            for seed in range(1, seeds + 1):
                stored = store_windows(metrics, folder, default_plan(engine, seed), pool)
                parts = list(pool.map(_parts, stored))
                for collection in COLLECTIONS:
                    own = [
                        part
                        for metric, part in zip(metrics, parts, strict=True)
                        if metric.collection == collection
                    ]
                    cells = _cells(_total([part[0] for part in own]), _total([p[1] for p in own]))
                    table.add_row(f"{engine}, seed {seed}, {collection}", *cells)
    console.print(table)


def _total(parts: Sequence[Part]) -> Part:
    total = Part()
    for part in parts:
        total = total.plus(part)
    return total


def _cells(first: Part, later: Part) -> tuple[str, ...]:
    return (
        f"{first.false} in {first.weeks:.1f} weeks",
        f"{first.rate:.2f}",
        f"{later.rate:.2f}",
        f"{first.rate / later.rate:.2f}",
        f"{first.found} of {first.labelled}",
        f"{first.recall:.2f}",
        f"{later.recall:.2f}",
        f"{first.recall / later.recall:.2f}",
    )


def _parts(stored: Stored) -> tuple[Part, Part]:
    """Return the first scored week and the rest; both empty where nothing was scored."""
    known = stored.read()
    if not known.windows:
        return Part(), Part()
    [flags] = alarms(stored, [DEFAULT])
    positions = np.asarray(known.positions)
    begin = (known.windows[0].window.start - known.start) // known.detector.period
    first, second = np.searchsorted(positions, [begin, begin + WEEK // known.detector.period])
    events = _labelled_events(stored.metric)
    return (
        _part(stored.metric, known, flags, events, (int(first), int(second))),
        _part(stored.metric, known, flags, events, (int(second), stored.metric.rows)),
    )


def _part(
    metric: LabelledMetric,
    known: StoredMetric,
    flags: Flags,
    events: Sequence[Span],
    rows: Span,
) -> Part:
    low, high = rows
    if low >= metric.rows:
        return Part()
    around = 0 if metric.collection == "NAB" else metric.near
    near = [(first - around, last + around) for first, last in events]
    raised = runs(np.flatnonzero(flags), metric.apart)
    own = [span for event, span in zip(events, near, strict=True) if low <= event[0] < high]
    false = sum(low <= alarm[0] < high and not _meets(alarm, near) for alarm in raised)
    seconds = known.positions[min(high, metric.rows - 1)] - known.positions[low]
    weeks = seconds * known.detector.period / WEEK
    return Part(false, weeks, sum(_meets(span, raised) for span in own), len(own))


def _meets(span: Span, others: Sequence[Span]) -> bool:
    return any(span[0] <= last and span[1] >= first for first, last in others)


def _labelled_events(metric: LabelledMetric) -> Sequence[Span]:
    """Return all labelled events: those of collections 2 and 3 that do not count otherwise are in the first weeks."""
    if metric.collection == "NAB":
        return metric.events
    with metric.path.open(newline="") as file:
        labels = [float(row["label"]) > 0 for row in csv.DictReader(file)]
    return runs(np.flatnonzero(labels), metric.apart)
