"""Expected values of a metric: their scale, and the range that holds 90 % of normal datapoints.

The profile and the scale are learned from the history before a window; level and range follow the datapoints
themselves and never look ahead.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cutwatch.features.seasonality import DAY, Profile, familiar_days, slots_of_day
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

Flags = NDArray[np.bool_]

# The level is the median residual of the last day, at least of 12 datapoints.
_LEVEL_SECONDS, _LEVEL_DATAPOINTS = DAY, 12
_LEAST_KNOWN = 3
# A level has moved if it is more than so many scales away, and a metric has returned to it if it is no further.
_RETURNED = 3.0
# Deviations around a slot of the day count together (seconds on either side).
_SCALE_REACH = 3_600
_LEAST_IN_SLOT = 5
# A scale is no smaller than these shares of the metric's own overall scale and of its middle 90 %.
_SHARE_OF_SCALE, _SHARE_OF_SPREAD = 0.3, 0.01
# A metric that hardly ever changes: one off by its resolution for an hour is 2.5 scales off.
_RESOLUTION_SHARE = 0.4
_MAD_TO_DEVIATION = 1.4826
# Of equal values, what rounding leaves of them must not look like a deviation.
_ROUNDING, _LEAST_SCALE = 1e-12, 1e-18
_ROUNDING_OF_SCALE = 1e-6
# Adaptive conformal inference: after each datapoint beyond an edge of the range the edge moves out by this share of
# the range's width, after every other one in by a nineteenth of it, until 5 % lie beyond; at most one width out.
_STEP, _MOST_WIDENED = 0.02, 1.0
_BEYOND = 0.05
_WARM_UP = 7 * DAY


@dataclass(frozen=True, eq=False)
class Expectation:
    """Expected value, scale of deviations and range of 90 % at each position of a series (n,).

    `level` is the part of the expected value that follows the datapoints. `deviations` are datapoints less the expected value, in units of scale; in the history before the window each day is
    compared with the other days. `rhythm` says whether there is a daily or weekly one, `resolution` is one step of a
    metric that hardly ever changes, else 0; `slots` are times of the day. A day is `familiar` if the history has seen
    one of its kind, a workday or a weekend, or if there is no rhythm.
    """

    values: Floats
    level: Floats
    deviations: Floats
    scale: Floats
    low: Floats
    high: Floats
    rhythm: bool
    resolution: float
    slots: NDArray[np.int64]
    slots_a_day: int
    familiar: Flags

    @property
    def residuals(self) -> Floats:
        """Datapoints less the expected value, in the metric's unit."""
        return self.deviations * self.scale

    @property
    def outside(self) -> Flags:
        """Flags of datapoints outside the expected range (n,)."""
        values = self.values + self.residuals
        rounding = _ROUNDING_OF_SCALE * self.scale
        return (values < self.low - rounding) | (values > self.high + rounding)

    def is_return(self, position: int, onset: int) -> bool:
        """Return True if a datapoint is unexpected only because the level has followed an incident since `onset`.

        It then lies between what was expected before the incident and what is expected now.
        """
        unexpected = self.deviations[position] * self.scale[position]
        moved = self.level[position] - self.level[onset]
        near = _RETURNED * self.scale[position]
        from_before = (unexpected + moved) * np.sign(moved)
        return bool(abs(moved) > near and -near <= from_before < abs(moved))


def expect(series: Series, start: int, time_zone: str) -> Expectation:
    """Return the expectation along a series by its history before epoch second `start`; NaN where that knows nothing."""
    history = series.epochs < start
    if not (history & ~series.missing).any():
        return _nothing_known(series, time_zone)
    past = Series(series.start, series.period, series.values[history])
    profile, residuals = Profile.fit(past, time_zone)
    left = series.values - profile.at(series.epochs)
    left[history] = residuals
    level = _level(left, series.period)
    residual = left - level
    resolution = resolution_of(past)
    slots, slots_a_day = slots_of_day(series.epochs, time_zone, series.period)
    by_time, overall = scale_by_time_of_day(np.abs(residual), history, slots, slots_a_day)
    scale = _with_floors(by_time, overall, past.values, resolution)
    deviations = residual / scale
    # A gap has an expected value too, though no residual.
    expected = np.where(
        np.isnan(residual), profile.at(series.epochs) + level, series.values - residual
    )
    low, high = _range(deviations, history, series.period)
    return Expectation(
        expected,
        level,
        deviations,
        scale,
        expected + scale * low,
        expected + scale * high,
        not profile.is_flat,
        resolution,
        slots,
        slots_a_day,
        profile.is_flat | familiar_days(series, history, time_zone),
    )


def _nothing_known(series: Series, time_zone: str) -> Expectation:
    slots, slots_a_day = slots_of_day(series.epochs, time_zone, series.period)
    nothing = np.full(len(series), np.nan)
    return Expectation(
        values=nothing,
        level=nothing,
        deviations=nothing,
        scale=nothing,
        low=nothing,
        high=nothing,
        rhythm=False,
        resolution=0.0,
        slots=slots,
        slots_a_day=slots_a_day,
        familiar=np.zeros(len(series), bool),
    )


def resolution_of(series: Series) -> float:
    """One step of a metric that hardly ever changes (its middle 90 % is one value); 0 if it often changes.

    Whole numbers step by 1; others by the smallest step seen, or by 1 % where none was.
    """
    known = series.values[~series.missing]
    if not len(known) or np.quantile(known, 0.05) < np.quantile(known, 0.95):
        return 0.0
    values = np.unique(known)
    if np.all(values == np.round(values)):
        return 1.0
    return float(np.diff(values).min()) if len(values) > 1 else abs(float(values[0])) / 100


def scale_by_time_of_day(
    sizes: Floats, history: Flags, slots: NDArray[np.int64], count: int
) -> tuple[Floats, float]:
    """1.4826 x the median of sizes (n,) within an hour of each time of day (n,), and of all, by the history."""
    counted = history & ~np.isnan(sizes)
    overall = _MAD_TO_DEVIATION * _median(sizes[counted])
    order = np.argsort(slots[counted], kind="stable")
    own, ordered = slots[counted][order], sizes[counted][order]
    reach = _SCALE_REACH // (DAY // count) if count > 1 else 0
    around = np.concatenate([own - count, own, own + count])
    circular = np.concatenate([ordered] * 3)
    first = np.searchsorted(around, np.arange(count) - reach)
    last = np.searchsorted(around, np.arange(count) + reach, side="right")
    table = np.array(
        [
            _MAD_TO_DEVIATION * _median(circular[a:b]) if b - a >= _LEAST_IN_SLOT else overall
            for a, b in zip(first, last, strict=True)
        ]
    )
    return table[slots], overall


def spread_of(values: Floats) -> float:
    """Return the width of the middle 90 % of known values."""
    known = values[~np.isnan(values)]
    return float(np.subtract(*np.quantile(known, [0.95, 0.05]))) if len(known) else 0.0


def _median(values: Floats) -> float:
    """Return the median of known values, 0 without any: `np.median` takes nine times as long for one time of day."""
    middle, odd = divmod(len(values), 2)
    if odd:
        return float(np.partition(values, middle)[middle])
    if not middle:
        return 0.0
    ordered = np.partition(values, (middle - 1, middle))
    return float((ordered[middle - 1] + ordered[middle]) / 2)


def _with_floors(by_time: Floats, overall: float, past: Floats, resolution: float) -> Floats:
    floors = (
        _SHARE_OF_SCALE * overall,
        _SHARE_OF_SPREAD * spread_of(past),
        _RESOLUTION_SHARE * resolution,
        _ROUNDING * float(np.nanmax(np.abs(past))),
        _LEAST_SCALE,
    )
    return np.asarray(np.sqrt(by_time**2 + sum(floor**2 for floor in floors)))


def _level(left: Floats, period: int) -> Floats:
    """Return the median residual of the time before each position (n,); 0 where hardly anything is known."""
    size = max(_LEVEL_SECONDS // period, _LEVEL_DATAPOINTS)
    # Every hour is often enough, and fast.
    every = max(3_600 // period, 1)
    padded = np.concatenate([np.full(size, np.nan), left])[: len(left) + size - 1]
    before = np.lib.stride_tricks.sliding_window_view(padded, size)[::every]
    known = np.sum(~np.isnan(before), axis=1)
    ordered = np.sort(before, axis=1)
    rows = np.arange(len(ordered))
    middle = (
        ordered[rows, np.maximum(known - 1, 0) // 2] + ordered[rows, known // 2 * (known > 1)]
    ) / 2
    level = np.where(known >= _LEAST_KNOWN, middle, 0.0)
    return np.repeat(level, every)[: len(left)]


def _range(deviations: Floats, history: Flags, period: int) -> tuple[Floats, Floats]:
    """Return the lower and upper edge (n,) of the range of 90 %, in units of scale."""
    past = deviations[history & ~np.isnan(deviations)]
    low, high = np.quantile(past, [_BEYOND, 1 - _BEYOND]).tolist()
    width = high - low
    first = max(int(np.count_nonzero(history)) - _WARM_UP // period, 0)
    lows, highs = np.full(len(deviations), low), np.full(len(deviations), high)
    least, most = low - _MOST_WIDENED * width, high + _MOST_WIDENED * width
    out, back = _STEP * width * (1 - _BEYOND), _STEP * width * _BEYOND
    for position, deviation in enumerate(deviations[first:].tolist(), first):
        lows[position], highs[position] = low, high
        if deviation != deviation:  # noqa: PLR0124 - not a number: nothing was reported
            continue
        high = min(high + out, most) if deviation > high else high - back
        low = max(low - out, least) if deviation < low else low + back
        if low > high:
            low = high = (low + high) / 2
    return lows, highs
