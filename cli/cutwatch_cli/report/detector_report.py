"""What a report tells of one detector, and the stretches of time that follow from it."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.features.seasonality import Profile
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timestamps import parse_timestamp

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class DetectorReport:
    """One detector's metric, scores and verdicts at `start`, `start + period`, ...; NaN and None where there is none.

    `events` in order of time; `cutoffs` and `usual` (what is usual at each time of the week) each from a moment on;
    `facts` are pairs of a term and what is to be said of it; `links` lead from each event to its graph in the console.
    """

    detector: str
    title: str
    start: datetime
    period_seconds: int
    values: Sequence[float] | Floats
    scores: Sequence[float] | Floats
    anomalies: Sequence[int | None]
    events: Sequence[AnomalyEvent] = ()
    cutoffs: Sequence[tuple[datetime, float]] = ()
    usual: Sequence[tuple[datetime, Profile]] = ()
    trained_until: Sequence[datetime] = ()
    planted: Sequence[tuple[datetime, datetime, str]] = field(default_factory=list)
    time_zone: str = "UTC"
    facts: Sequence[tuple[str, str]] = ()
    links: Sequence[str] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.values), len(self.scores), len(self.anomalies)}
        if lengths == {0} or len(lengths) > 1:
            raise ValueError(
                f"{self.detector}: a report needs columns of one length, not {lengths}"
            )
        if self.links and len(self.links) != len(self.events):
            raise ValueError(f"{self.detector}: a report needs a link for each event, or none")

    @cached_property
    def value_array(self) -> Floats:
        return np.asarray(self.values, dtype=float)

    @cached_property
    def score_array(self) -> Floats:
        return np.asarray(self.scores, dtype=float)

    @cached_property
    def epochs(self) -> Epochs:
        """Epoch second of each datapoint."""
        positions = np.arange(len(self.values), dtype=np.int64)
        return int(self.start.timestamp()) + self.period_seconds * positions

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
    def end(self) -> datetime:
        """Exclusive."""
        return self.moment(len(self.values))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def worst(self) -> AnomalyEvent | None:
        """The gravest event."""
        return max(self.events, key=gravity, default=None)

    def moment(self, position: int) -> datetime:
        """The timestamp at a position."""
        return self.start + position * self.period

    def cutoff_at(self, moment: datetime) -> float:
        """The cutoff valid at a moment; NaN before the first."""
        position = bisect_right(self.cutoffs, moment, key=lambda cutoff: cutoff[0])
        return self.cutoffs[position - 1][1] if position else math.nan

    def span(self, event: AnomalyEvent) -> tuple[datetime, datetime]:
        """[begin, end) of an event."""
        return parse_timestamp(event.start), parse_timestamp(event.end) + self.period


def gravity(event: AnomalyEvent | None) -> float:
    """By what events are ranked: the severity; silence is above all, no event below."""
    if event is None:
        return -math.inf
    return math.inf if event.severity is None else event.severity


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """The runs of true flags as [first, end)."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]


def usual_values(report: DetectorReport) -> Floats:
    """What is usual at each datapoint by the model of its time; NaN where no model is known."""
    usual = np.full(len(report.epochs), np.nan)
    for since, profile in report.usual:
        later = report.epochs >= int(since.astimezone(UTC).timestamp())
        usual[later] = profile.at(report.epochs[later])
    return usual
