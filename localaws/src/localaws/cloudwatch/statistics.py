"""Statistics of samples per period."""

import re
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from localaws.api_response import ApiError
from localaws.cloudwatch.metric_store import Floats, Samples

_PERCENTILE = re.compile(r"p(\d{1,2}(\.\d{1,10})?|100)")
_Starts = NDArray[np.intp]

_STATISTICS: Mapping[str, Callable[[Samples, _Starts], Floats]] = {
    "SampleCount": lambda samples, starts: np.add.reduceat(samples.counts, starts),
    "Sum": lambda samples, starts: np.add.reduceat(samples.sums, starts),
    "Average": lambda samples, starts: (
        np.add.reduceat(samples.sums, starts) / np.add.reduceat(samples.counts, starts)
    ),
    "Minimum": lambda samples, starts: np.minimum.reduceat(samples.minima, starts),
    "Maximum": lambda samples, starts: np.maximum.reduceat(samples.maxima, starts),
}


def statistic_by_period(
    samples: Samples, statistic: str, origin: int, period: int
) -> tuple[NDArray[np.int64], Floats]:
    """Return the period starts that have samples, ascending, and the statistic of each period."""
    if samples.times.size == 0:
        return np.empty(0, np.int64), np.empty(0)
    periods = (samples.times - origin) // period
    starts = np.flatnonzero(np.diff(periods, prepend=periods[0] - 1))
    values = _statistic(statistic)(samples, starts)
    return origin + periods[starts] * period, values


def check_statistic(statistic: str) -> None:
    _statistic(statistic)


def _statistic(name: str) -> Callable[[Samples, _Starts], Floats]:
    if name in _STATISTICS:
        return _STATISTICS[name]
    match = _PERCENTILE.fullmatch(name)
    if match is None:
        raise ApiError(
            "InvalidParameterValue",
            f"The value {name} for parameter Stat is invalid or not implemented by the local "
            "CloudWatch.",
        )
    percentile = float(match[1])
    return lambda samples, starts: _percentiles(samples, starts, percentile)


def _percentiles(samples: Samples, starts: _Starts, percentile: float) -> Floats:
    values = np.split(samples.sums / samples.counts, starts[1:])
    counts = np.split(samples.counts.astype(np.int64), starts[1:])
    return np.array(
        [
            np.percentile(np.repeat(value, count), percentile)
            for value, count in zip(values, counts, strict=True)
        ]
    )
