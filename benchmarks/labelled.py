"""The three labelled collections, and what a detector's alarms on them are worth.

Collection 1 is the Numenta Anomaly Benchmark, scored by its published standard profile. Collections 2 and 3 are
operational metrics with a column `label`, scored by labelled events found and false alarms a week.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Flags = npt.NDArray[np.bool_]
Span = tuple[int, int]

# NAB: what is only learned from, and the weight of a false alarm in the standard profile.
PROBATION_SHARE, PROBATION_ROWS = 0.15, 750
FALSE_ALARM_WEIGHT = 0.11
_FORGIVEN = 3  # window widths
# Collection 2 has rows of five minutes, of which a month is only learned from; of collection 3 a week is.
MONTH, FIVE_MINUTES = 8_640, 300
SHORTEST = MONTH + 500
# An alarm finds an event within an hour (and two rows) of it; what lies half an hour (and a row) apart is one.
NEAR, APART, WEEK = 3_600, 1_800, 604_800


@dataclass(frozen=True)
class LabelledMetric:
    """A file and its labelled events as spans of rows, both ends included."""

    path: Path
    collection: str
    category: str
    rows: int
    events: tuple[Span, ...]
    scored_from: int
    """The first row that counts."""
    period: int = FIVE_MINUTES
    """Of rows, in seconds."""

    @property
    def apart(self) -> int:
        """Rows between which alarms, or labels, are one event."""
        return max(round(APART / self.period), 1)

    @property
    def near(self) -> int:
        """Rows around an event in which an alarm finds it."""
        least = 1 if self.collection == "KPI" else 2
        return max(round(NEAR / self.period), least)


@dataclass(frozen=True)
class Quality:
    """`score` is NAB's standard score (100 is perfect, 0 is silence); only collection 1 has one."""

    recall: float
    false_alarms: float
    f1: float
    score: float = float("nan")


def load_nab(folder: Path) -> list[LabelledMetric]:
    """Collection 1, from a folder with `data` and `labels/combined_windows.json`."""
    windows: Mapping[str, list[list[str]]] = json.loads(
        (folder / "labels" / "combined_windows.json").read_text()
    )
    paths = sorted((folder / "data").glob("*/*.csv"))
    return [_nab_metric(path, windows[f"{path.parent.name}/{path.name}"]) for path in paths]


def load_kpi(folder: Path) -> list[LabelledMetric]:
    """Collection 2, from a folder with `data`: the metrics with more than a month of history."""
    metrics = [_kpi_metric(path) for path in sorted((folder / "data").glob("*.csv"))]
    return [metric for metric in metrics if metric.rows >= SHORTEST]


def load_operations(folder: Path) -> list[LabelledMetric]:
    """Collection 3, from a folder with `data`: mostly hourly, judged from the eighth day on."""
    return [_operations_metric(path) for path in sorted((folder / "data").glob("*.csv"))]


def _nab_metric(path: Path, windows: Sequence[Sequence[str]]) -> LabelledMetric:
    with path.open(newline="") as file:
        timestamps = [row["timestamp"][:19] for row in csv.DictReader(file)]
    events = tuple((timestamps.index(a[:19]), timestamps.index(b[:19])) for a, b in windows)
    probation = min(int(PROBATION_SHARE * len(timestamps)), PROBATION_ROWS)
    return LabelledMetric(path, "NAB", path.parent.name, len(timestamps), events, probation)


def _kpi_metric(path: Path) -> LabelledMetric:
    with path.open(newline="") as file:
        labels = [float(row["label"]) > 0 for row in csv.DictReader(file)]
    events = runs(np.flatnonzero(labels)[np.flatnonzero(labels) >= MONTH], APART // FIVE_MINUTES)
    return LabelledMetric(path, "KPI", "KPI", len(labels), tuple(events), MONTH)


def _operations_metric(path: Path) -> LabelledMetric:
    with path.open(newline="") as file:
        rows = [(int(row["timestamp"]), float(row["label"]) > 0) for row in csv.DictReader(file)]
    times = np.array([time for time, _ in rows])
    period = int(np.median(np.diff(times)))
    first = int(np.searchsorted(times, times[0] + WEEK))
    labelled = np.flatnonzero([label for _, label in rows])
    events = runs(labelled, max(round(APART / period), 1))
    counted = tuple(event for event in events if event[1] >= first)
    category = path.stem.rsplit("-", 1)[0]
    return LabelledMetric(path, "operations", category, len(rows), counted, first, period)


def nab_quality(metrics: Sequence[LabelledMetric], alarms: Mapping[Path, Flags]) -> Quality:
    """Of metrics of collection 1; false alarms in 1,000 rows."""
    windows = sum(len(metric.events) for metric in metrics)
    found = false = rows = 0
    total = 0.0
    for metric in metrics:
        flags = _counted(metric, alarms[metric.path])
        total += _nab_points(metric, flags)
        found += sum(bool(flags[a : b + 1].any()) for a, b in metric.events)
        false += sum(
            not any(first <= b and last >= a for a, b in metric.events)
            for first, last in runs(np.flatnonzero(flags), apart=1)
        )
        rows += metric.rows - metric.scored_from
    score = 100 * (total + windows) / (2 * windows) if windows else float("nan")
    return Quality(_ratio(found, windows), 1_000 * false / rows, _f1(found, windows, false), score)


def fleet_quality(metrics: Sequence[LabelledMetric], alarms: Mapping[Path, Flags]) -> Quality:
    """Of metrics of collections 2 and 3; false alarms a metric and week."""
    found = false = events = 0
    weeks = 0.0
    for metric in metrics:
        raised = runs(np.flatnonzero(_counted(metric, alarms[metric.path])), metric.apart)
        near = [(first - metric.near, last + metric.near) for first, last in metric.events]
        found += sum(any(a <= last and b >= first for a, b in raised) for first, last in near)
        false += sum(not any(a <= last and b >= first for first, last in near) for a, b in raised)
        events += len(metric.events)
        weeks += (metric.rows - metric.scored_from) * metric.period / WEEK
    return Quality(_ratio(found, events), false / weeks, _f1(found, events, false))


def _counted(metric: LabelledMetric, flags: Flags) -> Flags:
    counted = flags.copy()
    counted[: metric.scored_from] = False
    return counted


def _nab_points(metric: LabelledMetric, flags: Flags) -> float:
    """Each window found earns up to 1, the earlier the more, each missed one costs 1; false alarms cost a little."""
    points = 0.0
    inside = np.zeros(metric.rows, bool)
    for first, last in metric.events:
        inside[first : last + 1] = True
        hits = np.flatnonzero(flags[first : last + 1])
        left = last - first + 1 - hits[0] if len(hits) else 0
        points += _sigmoid(-left / (last - first + 1)) / _sigmoid(-1) if len(hits) else -1
    false = np.flatnonzero(flags & ~inside).tolist()
    return points + FALSE_ALARM_WEIGHT * sum(_false_alarm(metric, row) for row in false)


def _false_alarm(metric: LabelledMetric, row: int) -> float:
    """-1, or less soon after a window: NAB takes it for a late find."""
    before = [(first, last) for first, last in metric.events if last < row]
    if not before:
        return -1.0
    first, last = before[-1]
    distance = (row - last) / (last - first)
    return _sigmoid(distance) if distance <= _FORGIVEN else -1.0


def _sigmoid(distance: float) -> float:
    return float(2 / (1 + np.exp(5 * distance)) - 1)


def runs(rows: npt.NDArray[np.intp], apart: int) -> list[Span]:
    """Join ascending rows that lie at most `apart` from each other."""
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > apart) + 1)
    return [(int(group[0]), int(group[-1])) for group in groups if len(group)]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _f1(found: int, events: int, false: int) -> float:
    return _ratio(2 * found, found + false + events)
