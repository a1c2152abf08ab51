"""Reading a metric as CloudWatch lets it be read: by period, while it is kept, up to now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cutwatch.aws_limits import METRIC_MAX_AHEAD, METRIC_RETENTION, metric_retention
from local.aws.clock import Clock
from local.aws.cloudwatch.metric_store import Floats, MetricKey, MetricStore, unit_code
from local.aws.cloudwatch.statistics import statistic_by_period

_RECENTLY = timedelta(days=14)


@dataclass(frozen=True)
class Window:
    """[start, end) in epoch seconds."""

    start: float
    end: float

    @classmethod
    def of(cls, start: datetime, end: datetime) -> Self:
        return cls(start.timestamp(), end.timestamp())


class Reader:
    """The metric store through the eyes of CloudWatch's API at the clock's now."""

    def __init__(self, store: MetricStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def read(
        self, key: MetricKey, statistic: str, period: int, window: Window, unit: str | None = None
    ) -> tuple[NDArray[np.int64], Floats]:
        """Period starts and the statistic of each, oldest first."""
        origin = self._origin(window.start)
        kept = self._ago(metric_retention(period))
        samples = self._store.samples(key, max(origin, kept), min(window.end, self._latest()))
        if samples is None:
            return np.empty(0, np.int64), np.empty(0)
        if unit is not None:
            samples = samples.where(samples.units == unit_code(unit))
        return statistic_by_period(samples, statistic, origin, period)

    def listed(self, within: timedelta = _RECENTLY) -> list[MetricKey]:
        """The metrics with datapoints in recent times, which is what ListMetrics knows."""
        return sorted(
            self._store.metrics(self._ago(within), self._latest()),
            key=lambda key: (key.namespace, key.name, key.dimensions),
        )

    def _origin(self, start: float) -> int:
        """Where periods begin: the start, rounded down as coarsely as data of its age is kept."""
        step = 60
        for period, retention in METRIC_RETENTION.items():
            if start < self._ago(retention) and period * 12 <= 3600:
                step = {60: 300, 300: 3600}[period]
        return int(start // step * step)

    def _ago(self, age: timedelta) -> float:
        return (self._clock.now() - age).timestamp()

    def _latest(self) -> float:
        """Nothing lies further ahead on AWS; what is loaded for later stays invisible until its time."""
        return (self._clock.now() + METRIC_MAX_AHEAD).timestamp()
