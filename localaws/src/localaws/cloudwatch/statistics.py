"""Statistics of samples per period."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from localaws.api_response import ApiError
from localaws.cloudwatch.distributions import Distribution, distribution_statistic
from localaws.cloudwatch.metric_store import Floats, Samples

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
    known = ~np.isnan(values)  # a period without a value between the bounds has no datapoint
    return origin + periods[starts][known] * period, values[known]


def check_statistic(statistic: str) -> None:
    _statistic(statistic)


def _statistic(name: str) -> Callable[[Samples, _Starts], Floats]:
    if name in _STATISTICS:
        return _STATISTICS[name]
    try:
        of_one_period = distribution_statistic(name)
    except ValueError:
        raise ApiError(
            "InvalidParameterValue",
            f"The value {name} for parameter Stat is not a valid statistic.",
        ) from None
    return lambda samples, starts: _by_period(samples, starts, of_one_period)


def _by_period(samples: Samples, starts: _Starts, of_one_period: Distribution) -> Floats:
    values = np.split(samples.sums / samples.counts, starts[1:])
    counts = np.split(samples.counts, starts[1:])
    return np.array(
        [
            of_one_period(value[order], count[order])
            for value, count in zip(values, counts, strict=True)
            for order in [np.argsort(value)]
        ]
    )
