"""Time series and numbers, combined as CloudWatch's metric math combines them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localaws.cloudwatch.metric_store import Floats, MetricKey

Times = NDArray[np.int64]


class WrongExpression(Exception):
    """What is wrong with an expression."""


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """Finite values at ascending epoch seconds; the period is in seconds.

    `found` is the metric that a search found, also of what is made of its series alone.
    """

    times: Times
    values: Floats
    period: int
    found: MetricKey | None = None

    @classmethod
    def finite(cls, times: Times, values: Floats, period: int) -> "TimeSeries":
        """What has no finite value is no datapoint: that is how a division by zero drops out."""
        kept = np.isfinite(values)
        return cls(times[kept], values[kept], period)

    def at(self, times: Times, missing: float) -> Floats:
        """The values at some times, and `missing` where there is none."""
        if not self.times.size:
            return np.full(times.shape, missing)
        places = np.minimum(np.searchsorted(self.times, times), self.times.size - 1)
        return np.where(self.times[places] == times, self.values[places], missing)


Array = list[TimeSeries]
Value = float | TimeSeries | Array
Operation = Callable[[Any, Any], Any]


def combine(left: Value, right: Value, operation: Operation, symbol: str) -> Value:
    """An operator between two values: each series of an array by itself, a number with every datapoint.

    Of two series, the times are those of both, and a value missing in one of them counts as 0.
    """
    if isinstance(left, list) and isinstance(right, list):
        raise WrongExpression(f"Unsupported operand types for {symbol}: two arrays of time series")
    if isinstance(left, list):
        return [_combine_series(each, right, operation) for each in left]
    if isinstance(right, list):
        return [_combine_series(left, each, operation) for each in right]
    return _combine(left, right, operation)


def _combine_series(left: float | Value, right: float | Value, operation: Operation) -> TimeSeries:
    combined = _combine(left, right, operation)
    assert isinstance(combined, TimeSeries)  # noqa: S101 - one of the two is a series
    sources = [each.found for each in (left, right) if isinstance(each, TimeSeries)]
    return replace(combined, found=sources[0] if len(sources) == 1 else None)


def _combine(left: Any, right: Any, operation: Operation) -> float | TimeSeries:
    series = [each for each in (left, right) if isinstance(each, TimeSeries)]
    with np.errstate(all="ignore"):
        if not series:
            return float(operation(np.float64(left), np.float64(right)))
        times = series[0].times if len(series) == 1 else union(series)
        values = operation(_values(left, times), _values(right, times))
    return TimeSeries.finite(times, values, max(each.period for each in series))


def union(series: Array) -> Times:
    """All times at which any of the series has a datapoint."""
    return np.unique(np.concatenate([each.times for each in series]))


def _values(operand: float | TimeSeries, times: Times) -> Floats:
    if isinstance(operand, TimeSeries):
        return operand.at(times, 0.0)
    return np.full(times.shape, operand, np.float64)
