"""Data of one detector in a report, and values derived from it."""

import math
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.unit import Unit, symbol
from cutwatch.timeseries.arrays import Epochs, Floats

Flags = npt.NDArray[np.bool_]

# A view of the scored part begins this part of its length earlier.
_CONTEXT = 20


@dataclass(frozen=True, eq=False)
class Expected:
    """The expected value and the range of 90 % at each datapoint (n,), NaN where nothing was scored."""

    values: Floats
    low: Floats
    high: Floats

    def since(self, position: int) -> "Expected":
        """Return the part from a position on."""
        return Expected(self.values[position:], self.low[position:], self.high[position:])


@dataclass(frozen=True)
class Words:
    """Words of a report's chart and table: its subject, an event, the two plots, and the heading of the event's driver."""

    subject: str = "detector"
    event: str = "event"
    values: str = "metric"
    value: str = "value"
    scores: str = "anomaly score"
    score: str = "score"
    score_axis: str = "Score"
    driver: str = "Driver"


STREAM_WORDS = Words(
    subject="stream",
    event="incident",
    values="anomaly score",
    value="score",
    scores="incident (0 or 1)",
    score="incident",
    score_axis="Incident",
    driver="Column",
)


@dataclass(frozen=True, eq=False)
class DetectorReport:
    """One detector's metric and scores at `start`, `start + period`, …; NaN or None where there is none.

    `events` are in chronological order. `cutoffs` are pairs of the time from which a value
    applies and the value. `expected` lies on the same grid. `facts` are terms and their values; `links` are console links, one per event.
    `pending` are the times of published scores that CloudWatch does not show yet.
    `notes` say what reading a file made of it. `axis` names the values, `unit` is theirs. A stream's report has the scores as values and the
    incident flags as scores; `keys` has the key of each event, `unended` the positions of those that have not ended.
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
    expected: Expected | None = None
    trained_until: Sequence[datetime] = ()
    planted: Sequence[tuple[datetime, datetime, str]] = field(default_factory=list)
    time_zone: str = "UTC"
    facts: Sequence[tuple[str, str]] = ()
    links: Sequence[str] = ()
    pending: Sequence[tuple[datetime, datetime]] = ()
    notes: Sequence[str] = ()
    axis: str = "Metric"
    words: Words = Words()
    keys: Sequence[str] = ()
    unended: Collection[int] = ()
    unit: Unit | None = None

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
        return np.isnan(self.score_array) & ~self.missing & ~self.anomalous & ~self.unreadable

    @cached_property
    def unreadable(self) -> Flags:
        """Datapoints with published scores that CloudWatch does not show yet."""
        found = np.zeros(len(self.epochs), dtype=bool)
        for start, end in self.pending:
            found |= (self.epochs >= start.timestamp()) & (self.epochs < end.timestamp())
        return found & np.isnan(self.score_array)

    @property
    def axis_name(self) -> str:
        """Name of the values, with their unit."""
        unit = symbol(self.unit)
        return f"{self.axis} ({unit})" if unit else self.axis

    @property
    def period(self) -> timedelta:
        return timedelta(seconds=self.period_seconds)

    @property
    def end(self) -> datetime:
        """End of the report, exclusive."""
        return self.timestamp(len(self.values))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def worst(self) -> AnomalyEvent | None:
        """The most severe event, if any."""
        return max(self.events, key=severity_rank, default=None)

    def timestamp(self, position: int) -> datetime:
        """Return the timestamp at a position."""
        return self.start + position * self.period

    @property
    def opening(self) -> int:
        """The position at which a view of the scored part begins, with a little of the time before it."""
        scored = ~(self.unscored | self.missing)
        if not scored.any():
            return 0
        first = int(scored.argmax())
        return max(first - (len(scored) - first) // _CONTEXT, 0)

    def since(self, position: int) -> "DetectorReport":
        """Return the report from a position on, with the same events."""
        return replace(
            self,
            start=self.timestamp(position),
            values=self.values[position:],
            scores=self.scores[position:],
            anomalies=self.anomalies[position:],
            expected=self.expected and self.expected.since(position),
        )

    def cutoff_at(self, time: datetime) -> float:
        """Return the cutoff in force at a time; NaN before the first."""
        position = bisect_right(self.cutoffs, time, key=lambda cutoff: cutoff[0])
        return self.cutoffs[position - 1][1] if position else math.nan


def severity_rank(event: AnomalyEvent | None) -> float:
    """Return the rank of an event: its severity; a metric without data ranks highest, no event lowest."""
    if event is None:
        return -math.inf
    return math.inf if event.severity is None else event.severity


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """Return the stretches of true flags as [first, end)."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    return [(int(first), int(end)) for first, end in edges.reshape(-1, 2)]
