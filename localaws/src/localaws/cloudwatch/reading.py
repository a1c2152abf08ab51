"""Reading a metric as CloudWatch lets it be read: by period, while it is kept, up to now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from localaws.cloudwatch.metric_store import Floats, MetricKey, MetricStore, unit_code
from localaws.cloudwatch.statistics import statistic_by_period
from localaws.limits import METRIC_MAX_AHEAD, METRIC_RETENTION, metric_retention

_RECENTLY = timedelta(days=14)


@dataclass(frozen=True)
class Window:
    """[start, end) in epoch seconds."""

    start: float
    end: float

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Self:
        return cls(start.timestamp(), end.timestamp())


class TellsTime(Protocol):
    def now(self) -> datetime: ...


@dataclass(frozen=True)
class _Moment:
    moment: datetime

    def now(self) -> datetime:
        return self.moment


class Reader:
    """The metric store through the eyes of CloudWatch's API at the clock's now."""

    def __init__(self, store: MetricStore, clock: TellsTime) -> None:
        self._store = store
        self._clock = clock

    def at(self, moment: datetime) -> "Reader":
        """Return a reader for which it is that time."""
        return Reader(self._store, _Moment(moment))

    def read(
        self, key: MetricKey, statistic: str, period: int, window: Window, unit: str | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """Return period starts and the statistic of each, oldest first."""
        samples = self._store.samples(key, *self._kept(period, window))
        if samples is None:
            return np.empty(0, np.int64), np.empty(0)
        samples = samples.readable_at(self._clock.now().timestamp())
        if unit is not None:
            samples = samples.where(samples.units == unit_code(unit))
        return statistic_by_period(samples, statistic, self._origin(window.start), period)

    def named(self, namespace: str, name: str) -> list[MetricKey]:
        """Return the metrics of this name, whatever their dimensions."""
        return self._store.named(namespace, name)

    def times(self, keys: Iterable[MetricKey], start: float) -> NDArray[np.int64]:
        """Return the times of all samples of these metrics from a time on, each once, future ones included.

        Among them are the times from which back-filled samples can be read.
        """
        # Listed beforehand: finding the metrics of a query asks the store itself.
        return self._store.times(list(keys), start)

    def listed(self, within: timedelta = _RECENTLY) -> list[MetricKey]:
        """Return the metrics with recent datapoints, which are the ones that ListMetrics lists."""
        return sorted(
            self._store.metrics(self.ago(within), self._latest()),
            key=lambda key: (key.namespace, key.name, key.dimensions),
        )

    def _kept(self, period: int, window: Window) -> tuple[float, float]:
        """Return the part of a window to read; nothing of one that begins before such periods are kept.

        CloudWatch returns no datapoints of a range whose start is too old for its period (`MetricStat.Period`).
        """
        if window.start < self.ago(metric_retention(period)):
            return window.start, window.start
        return self._origin(window.start), min(window.end, self._latest())

    def _origin(self, start: float) -> int:
        """Return where periods begin: the start, rounded down as coarsely as data of its age is kept."""
        step = 60
        for period, retention in METRIC_RETENTION.items():
            if start < self.ago(retention) and period * 12 <= 3600:
                step = {60: 300, 300: 3600}[period]
        return int(start // step * step)

    def ago(self, age: timedelta) -> float:
        return (self._clock.now() - age).timestamp()

    def _latest(self) -> float:
        """Nothing lies further ahead on AWS; what is loaded for later stays invisible until its time."""
        return (self._clock.now() + METRIC_MAX_AHEAD).timestamp()
