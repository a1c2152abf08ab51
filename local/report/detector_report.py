"""What a report is made from, and the stretches and events that follow from it."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

CALM_DATAPOINTS = 12  # more of them in a row without an anomaly end an event
LONGEST_SILENCE = timedelta(days=1)  # ends it even if nothing was reported in between


@dataclass(frozen=True)
class DetectorReport:
    """One detector's metric, scores and verdicts, datapoint by datapoint."""

    detector: str
    title: str
    unit: str
    period_seconds: int
    timestamps: Sequence[datetime]
    values: Sequence[float]
    scores: Sequence[float]
    anomalies: Sequence[int | None]
    cutoffs: Sequence[tuple[datetime, float]]
    trained_until: Sequence[datetime]
    planted: Sequence[tuple[datetime, datetime, str]] = field(default_factory=list)
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        lengths = {len(self.timestamps), len(self.values), len(self.scores), len(self.anomalies)}
        if lengths == {0} or len(lengths) > 1:
            raise ValueError(
                f"{self.detector}: a report needs columns of one length, not {lengths}"
            )

    @cached_property
    def value_array(self) -> Floats:
        return np.asarray(self.values, dtype=float)

    @cached_property
    def score_array(self) -> Floats:
        return np.asarray(self.scores, dtype=float)

    @cached_property
    def anomalous(self) -> Flags:
        return np.array([anomaly == 1 for anomaly in self.anomalies])

    @cached_property
    def missing(self) -> Flags:
        return np.isnan(self.value_array)

    @cached_property
    def unscored(self) -> Flags:
        return np.isnan(self.score_array) & ~self.missing & ~self.anomalous

    @property
    def period(self) -> timedelta:
        return timedelta(seconds=self.period_seconds)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def cutoff_at(self, moment: datetime) -> float:
        """The cutoff valid at a moment; NaN before the first."""
        position = bisect_right(self.cutoffs, moment, key=lambda cutoff: cutoff[0])
        return self.cutoffs[position - 1][1] if position else float("nan")


@dataclass(frozen=True)
class Event:
    """Anomalous datapoints near each other, told as one incident."""

    number: int
    start: datetime
    end: datetime
    datapoints: int
    peak_at: datetime
    peak_score: float
    cutoff: float
    value: float

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def severity(self) -> float:
        """The peak score as a multiple of the cutoff; NaN without a positive cutoff."""
        return self.peak_score / self.cutoff if self.cutoff > 0 else float("nan")


def events(report: DetectorReport, calm_datapoints: int = CALM_DATAPOINTS) -> list[Event]:
    """Anomalous datapoints grouped into events; missing datapoints do not part them."""
    positions = np.flatnonzero(report.anomalous)
    if not positions.size:
        return []
    reported = np.cumsum(~report.missing)
    calm = np.diff(reported[positions]) - 1
    silence = np.diff(positions) * report.period_seconds
    parted = (calm > calm_datapoints) | (silence > LONGEST_SILENCE.total_seconds())
    groups = np.split(positions, np.flatnonzero(parted) + 1)
    return [_event(report, number, group) for number, group in enumerate(groups, start=1)]


def gravity(event: Event) -> float:
    """By what events are ranked: the severity, or the score where no cutoff is known."""
    known = (event.peak_score if math.isnan(event.severity) else event.severity, -math.inf)
    return next(number for number in known if not math.isnan(number))


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """The runs of true flags as [first, end)."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def _event(report: DetectorReport, number: int, positions: npt.NDArray[np.intp]) -> Event:
    scores = np.nan_to_num(report.score_array[positions], nan=-np.inf)
    peak = int(positions[scores.argmax()])
    peak_at = report.timestamps[peak]
    return Event(
        number,
        start=report.timestamps[int(positions[0])],
        end=report.timestamps[int(positions[-1])] + report.period,
        datapoints=int(positions.size),
        peak_at=peak_at,
        peak_score=float(report.score_array[peak]),
        cutoff=report.cutoff_at(peak_at),
        value=float(report.value_array[peak]),
    )
