"""Time series and numbers, combined as CloudWatch's metric math combines them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from localaws.cloudwatch.metric_store import Floats

Times = NDArray[np.int64]


class WrongExpression(Exception):
    """An expression is wrong, or not implemented; the message says how."""


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """Finite values at ascending epoch seconds; the period is in seconds."""

    times: Times
    values: Floats
    period: int

    @classmethod
    def finite(cls, times: Times, values: Floats, period: int) -> "TimeSeries":
        """Drop values that are not finite, as CloudWatch does after a division by zero."""
        kept = np.isfinite(values)
        return cls(times[kept], values[kept], period)

    def at(self, times: Times, missing: float) -> Floats:
        """Return the values at some times, and `missing` where there is none."""
        if not self.times.size:
            return np.full(times.shape, missing)
        places = np.minimum(np.searchsorted(self.times, times), self.times.size - 1)
        return np.where(self.times[places] == times, self.values[places], missing)


Array = list[TimeSeries]
Value = float | TimeSeries | Array
Operation = Callable[[Any, Any], Any]


def combine(left: Value, right: Value, operation: Operation, symbol: str) -> Value:
    """Apply an operator: to each series of an array separately, to a number with every datapoint.

    The result for two series has the times of both; a value missing in one of them counts as 0.
    """
    if isinstance(left, list) and isinstance(right, list):
        raise WrongExpression(f"Unsupported operand types for {symbol}: two arrays of time series")
    if isinstance(left, list):
        return [_combine(each, right, operation) for each in left]
    if isinstance(right, list):
        return [_combine(left, each, operation) for each in right]
    combined: float | TimeSeries = _combine(left, right, operation)
    return combined


def _combine(left: Any, right: Any, operation: Operation) -> Any:
    series = [each for each in (left, right) if isinstance(each, TimeSeries)]
    with np.errstate(all="ignore"):
        if not series:
            return float(operation(np.float64(left), np.float64(right)))
        times = series[0].times if len(series) == 1 else union(series)
        values = operation(_values(left, times), _values(right, times))
    return TimeSeries.finite(times, values, max(each.period for each in series))


def union(series: Array) -> Times:
    """Return all times at which any of the series has a datapoint."""
    return np.unique(np.concatenate([each.times for each in series]))


def _values(operand: float | TimeSeries, times: Times) -> Floats:
    if isinstance(operand, TimeSeries):
        return operand.at(times, 0.0)
    return np.full(times.shape, operand, np.float64)
