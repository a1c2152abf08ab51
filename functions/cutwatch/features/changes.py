"""Changes of a metric from one datapoint to the next."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cutwatch.features.expectation import Expectation, scale_by_time_of_day, spread_of
from cutwatch.features.seasonality import DAY
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

Flags = NDArray[np.bool_]

# After a longer silence (seconds) nothing is known of the step to the next datapoint.
LONGEST_STEP = 3_600
# A scale is no smaller than these shares of the overall scale of steps, of their upper 5 %, of the values' middle 90 %.
_SHARE_OF_SCALE, _SHARE_OF_TAIL, _SHARE_OF_SPREAD = 0.3, 0.1, 0.01
_TAIL, _LEAST_SCALE = 0.95, 1e-12
_FULL_DAY = 12


def difference(series: Series) -> Floats:
    """Each datapoint less the one reported before it; 0 for the first and after a long silence, NaN in gaps."""
    known = np.flatnonzero(~series.missing)
    result = np.full(len(series), np.nan)
    if len(known):
        values = series.values[known]
        silence = np.diff(known, prepend=known[0]) * series.period
        steps = np.diff(values, prepend=values[0])
        result[known] = np.where(silence <= max(LONGEST_STEP, series.period), steps, 0.0)
    return result


def sudden_changes(series: Series, history: Flags, expectation: Expectation) -> Floats:
    """Return the size of each step (n,) in units of the usual size at its time of day.

    A step that is expected at its time is counted from the expected one.
    """
    steps = difference(series)
    unexpected = difference(replace(series, values=expectation.residuals))
    sizes = np.minimum(np.abs(steps), np.abs(unexpected))
    slots, count = expectation.slots, expectation.slots_a_day
    by_time, overall = scale_by_time_of_day(sizes, history, slots, count)
    past = sizes[history & ~np.isnan(sizes)]
    tail = float(np.quantile(past, _TAIL)) if len(past) else 0.0
    floor = max(
        _SHARE_OF_SCALE * overall,
        _SHARE_OF_TAIL * tail,
        _SHARE_OF_SPREAD * spread_of(series.values[history]),
        _LEAST_SCALE,
    )
    return np.asarray(sizes / np.sqrt(by_time**2 + floor**2))


def lag_one_autocorrelation(series: Series) -> float:
    """1 - var(difference) / (2 var(value)): the lag-one autocorrelation, of the median day and robustly.

    Within days, because over weeks every metric whose level moves looks smooth.
    """
    known = ~series.missing
    values, days = series.values[known], series.epochs[known] // DAY
    if len(values) < 2:  # noqa: PLR2004 - a difference needs two
        return 0.0
    deviations = [
        (_winsorised_deviation(day), _winsorised_deviation(np.diff(day)))
        for day in _full_days(values, days)
    ]
    of_values, of_steps = np.median(deviations, axis=0)
    return float(1 - (of_steps / of_values) ** 2 / 2) if of_values > 0 else 0.0


def _full_days(values: Floats, days: NDArray[np.int64]) -> list[Floats]:
    """Return the days with datapoints enough to compare; everything as one day where there are none."""
    groups = np.split(values, np.flatnonzero(np.diff(days)) + 1)
    return [group for group in groups if len(group) >= _FULL_DAY] or [values]


def _winsorised_deviation(values: Floats) -> float:
    return float(np.std(np.clip(values, *np.quantile(values, [0.01, 0.99]))))
