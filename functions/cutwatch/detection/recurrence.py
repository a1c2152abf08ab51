"""Peaks that a metric has anyway: those that recur at their time of day or week, and the level of its highest ones.

A job that begins a little earlier or later every day leaves deviations of any height; its edges recur all the same.
"""

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.parameters import DAY, HOUR, ThresholdParameters
from cutwatch.timeseries.arrays import Floats

Flags = NDArray[np.bool_]

_DAYS, _DAYS_A_WEEK = 7, 7
_DAYS_OF_JITTER = 14
_HALF_A_DAY = 12.0
# A rise or fall takes up to three datapoints: the job may begin within a period, and end within another.
_EDGE_DATAPOINTS = 3
# Peaks a quarter of a day apart and less cannot be told from the day's own course.
_LONGEST_PERIOD = DAY // 4
# The peak level is looked up this often; between, nothing is learned.
_PEAK_LEVEL_SECONDS = 6 * HOUR


def recurring_peaks(
    statistic: Floats, period: int, parameters: ThresholdParameters, *, at_any_time: bool = False
) -> Floats:
    """For each position (n,) the height that recurs at its time of day or of the week; at least 0.

    With `at_any_time` a peak recurs that comes daily, at whatever time.
    `statistic` (n,) lies on the grid of the period, NaN where nothing is known.
    """
    if period > _LONGEST_PERIOD:
        return np.zeros(len(statistic))
    hours = _HALF_A_DAY if at_any_time else parameters.recurrence_hours
    reach = max(round(hours * HOUR / period), 1)
    around = _highest_around(statistic, reach)
    day = DAY // period
    days = _on_days_before(around, period, _DAYS)
    weeks = np.stack(
        [
            _before(around, number * _DAYS_A_WEEK * day)
            for number in range(1, parameters.recurring_weeks + 1)
        ]
    )
    daily = _height_on_most(days, parameters.recurring_days)
    return np.asarray(np.maximum(np.maximum(daily, weeks.min(axis=0)), 0.0))


def usual_edges(
    values: Floats, residuals: Floats, outside: Flags, period: int, parameters: ThresholdParameters
) -> Flags:
    """Flag positions (n,) within the deviation that a daily job at about this time causes.

    Neither the residuals nor the edges of the latest datapoints exceed the edges of most of the last seven days by more
    than `edge_excess`. An edge is the range of three datapoints. Periods too coarse to show a shift have none.
    Positions `outside` (n,) the expected range are usual only if their excursion was so from its beginning.
    """
    reach = int(parameters.jitter_hours * HOUR // period)
    if reach < 1:
        return np.zeros(len(values), bool)
    known = np.lib.stride_tricks.sliding_window_view(_padded(values), _EDGE_DATAPOINTS)
    edges = np.nan_to_num(known.max(axis=1) - known.min(axis=1))
    days = _on_days_before(_highest_around(edges, reach), period, _DAYS)
    sizes = np.maximum(np.nan_to_num(np.abs(residuals)), edges)
    latest = np.lib.stride_tricks.sliding_window_view(
        _padded(sizes, 0.0, parameters.smoothing), parameters.smoothing
    ).max(axis=1)
    daily = _height_on_most(days, parameters.days_with_edges)
    return whole_excursions(latest <= parameters.edge_excess * daily, outside)


def whole_excursions(usual: Flags, outside: Flags) -> Flags:
    """Return the usual positions (n,), without those of an excursion that was unusual before.

    An excursion is a run of positions `outside` (n,) the expected range: it is not cut at a usual edge.
    """
    positions = np.arange(len(usual))
    began = np.maximum.accumulate(np.where(outside, -1, positions))
    unusual = np.maximum.accumulate(np.where(outside & ~usual, positions, -1))
    return np.asarray(usual & ~(outside & (unusual > began)))


def came_lately(multiples: Floats, period: int, parameters: ThresholdParameters) -> Flags:
    """Flag positions (n,) at about whose time of day the cutoff was reached in the last two weeks."""
    reach = int(parameters.jitter_hours * HOUR // period)
    around = _highest_around(multiples, reach)
    return np.asarray((_on_days_before(around, period, _DAYS_OF_JITTER) >= 1).any(axis=0))


def peak_level(statistic: Floats, period: int, parameters: ThresholdParameters) -> Floats:
    """For each position (n,) the `peak_rank`-th largest peak of the days before; 0 where there were fewer."""
    reach = max(round(parameters.peak_hours * HOUR / period), 1)
    peaks = find_peaks(statistic, reach)
    every = max(_PEAK_LEVEL_SECONDS // period, 1)
    starts = np.arange(0, len(statistic), every)
    rank = parameters.peak_rank
    levels = np.zeros(len(starts))
    # A peak is known to be one only when nothing higher has followed for a while.
    firsts = np.searchsorted(
        peaks, starts - max(round(parameters.peak_days * DAY / period), parameters.peak_datapoints)
    )
    lasts = np.searchsorted(peaks + reach, starts)
    for number, (first, last) in enumerate(zip(firsts.tolist(), lasts.tolist(), strict=True)):
        if last - first >= rank:
            levels[number] = np.partition(statistic[peaks[first:last]], -rank)[-rank]
    return np.repeat(np.maximum(levels, 0.0), every)[: len(statistic)]


def find_peaks(statistic: Floats, reach: int) -> NDArray[np.intp]:
    """Positions that are the highest within `reach` on either side; the first of equals."""
    highest = _highest_around(statistic, reach)
    peaks: list[int] = []
    for position in np.flatnonzero(statistic == highest).tolist():
        if not peaks or position - peaks[-1] > reach:
            peaks.append(position)
    return np.array(peaks, np.intp)


def _highest_around(statistic: Floats, reach: int) -> Floats:
    known = np.where(np.isnan(statistic), -np.inf, statistic)
    padded = np.pad(known, reach, constant_values=-np.inf)
    highest: Floats = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)
    return highest


def _padded(values: Floats, by: float = np.nan, size: int = _EDGE_DATAPOINTS) -> Floats:
    return np.concatenate([np.full(size - 1, by), values])


def _on_days_before(statistic: Floats, period: int, count: int) -> Floats:
    """Return the values at the same time of the days before (count, n), -inf before the first."""
    day = DAY // period
    return np.stack([_before(statistic, number * day) for number in range(1, count + 1)])


def _height_on_most(days: Floats, least: int) -> Floats:
    """Return the height (n,) reached on `least` of seven days (7, n), in proportion for fewer days."""
    known = np.sum(np.isfinite(days), axis=0)
    needed = np.ceil(known * least / _DAYS).astype(np.intp)
    ordered = np.sort(days, axis=0)[::-1]
    return np.asarray(np.take_along_axis(ordered, np.maximum(needed - 1, 0)[None, :], axis=0)[0])


def _before(statistic: Floats, positions: int) -> Floats:
    """Return the values that many positions earlier, -inf before the first."""
    result = np.full(len(statistic), -np.inf)
    result[positions:] = statistic[: max(len(statistic) - positions, 0)]
    return result
