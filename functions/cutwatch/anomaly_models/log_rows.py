"""Rows of log events for models: one per event, or one per minute."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from cutwatch.anomaly_models.model import Rows
from cutwatch.features.log_event import LogEvent, categories_of
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_traffic import RecentTraffic
from cutwatch.features.log_training import log_seconds

MINUTE = 60
MINUTE_COLUMNS = ("requests", "errors", "writes", "distinct_paths", "response_time")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def event_rows(events: Iterable[LogEvent], features: LogFeatures) -> Rows:
    """Return a row of features per event of one key, in the order of time."""
    recent = RecentTraffic()
    rows = [features.row(event, recent) for event in events]
    return Rows(
        np.array([row.event.time for row in rows], np.float64),
        np.array([row.values for row in rows], np.float64).reshape(len(rows), -1),
    )


@dataclass(slots=True)
class _Minute:
    requests: int = 0
    errors: int = 0
    writes: int = 0
    paths: set[str] = field(default_factory=set)
    log_seconds: list[float] = field(default_factory=list)

    def add(self, event: LogEvent) -> None:
        categories = categories_of(event)
        self.requests += 1
        self.errors += event.is_error
        self.writes += categories.method not in _READS
        self.paths.add(categories.path)
        if event.response_time is not None:
            self.log_seconds.append(log_seconds(event.response_time))

    def row(self) -> Sequence[float]:
        counts = (self.requests, self.errors, self.writes, len(self.paths))
        seconds = self.log_seconds
        return [*map(math.log1p, counts), math.fsum(seconds) / len(seconds) if seconds else math.nan]  # fmt: skip


def minute_rows(events: Iterable[LogEvent]) -> Rows:
    """Return a row per minute: logarithms of the counts of `MINUTE_COLUMNS`, and the mean log seconds.

    A minute without events has counts of 0 and no response time (NaN). The first and the last minute, which may not be whole, are left
    out.
    """
    minutes: dict[int, _Minute] = {}
    for event in events:
        minutes.setdefault(int(event.time // MINUTE), _Minute()).add(event)
    if not minutes:
        return Rows(np.empty(0), np.empty((0, len(MINUTE_COLUMNS))))
    numbers = range(min(minutes) + 1, max(minutes))
    silent = _Minute()
    values = np.array([minutes.get(each, silent).row() for each in numbers], np.float64)
    times = np.array([each * MINUTE for each in numbers], np.float64)
    return Rows(times, values.reshape(len(times), len(MINUTE_COLUMNS)))
