"""Excursions that a metric has every day or week at about the same time, and that did not come.

The range of the values over a window that is longer than a job is early or late does not depend on when the job runs in
it. So a day without its job, or a night without its dip, differs from other days by the whole height, however much the
job varies. Nothing here looks ahead.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.baseline import Flags
from cutwatch.detection.deviation import Deviation
from cutwatch.detection.parameters import DAY, HOUR, ThresholdParameters
from cutwatch.features.seasonality import Integers, places_on_the_clock
from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

Positions = NDArray[np.intp]

_DAYS = 7
# Coarser metrics do not show when a job runs.
_LONGEST_PERIOD = HOUR
# One day or week with an extreme of its own does not say how much the others differ.
_HIGHEST_RANK = 2


@dataclass(frozen=True)
class _Windows:
    """Windows to compare (datapoints): an earlier day's ended `late` ago, today's begins as much before it."""

    earlier: int
    late: int
    day: int

    @classmethod
    def of(cls, period: int, parameters: ThresholdParameters) -> "_Windows":
        late = max(round(parameters.jitter_hours * HOUR / period), 1)
        # The first datapoint is only there to show the rise to the second.
        return cls(
            max(round(parameters.excursion_hours * HOUR / period), 1) + 1, late, DAY // period
        )

    @property
    def today(self) -> int:
        return self.earlier + 2 * self.late

    @property
    def week(self) -> int:
        return _DAYS * self.day


def missed_excursions(
    series: Series, time_zone: str, history: Flags, scale: Floats, parameters: ThresholdParameters
) -> Floats:
    """For each position (n,) by how much the range of today's values falls short of the usual one; at least 0.

    Measured in typical ranges (the median of the `history` (n,), and the median `scale` (n,) of deviations) or, where
    that is more, in the difference between the days on which the excursion came. It came on `days_with_edges` of the
    last seven days, on twice as many of 14, and on the same weekday; or else in each of the last `recurring_weeks`. Today's
    window must be complete: missing data is not a missed job. Days are those of the `time_zone`.
    """
    if series.period > _LONGEST_PERIOD or np.isnan(scale).all():
        return np.zeros(len(series))
    places = places_on_the_clock(series, time_zone)
    in_past = _at_places(places, history, 0)
    typical_scale = float(np.nanmedian(scale))
    values = _at_places(places, series.values, np.nan)
    windows = _Windows.of(series.period, parameters)
    return _missed(values, in_past, typical_scale, windows, parameters)[places]


def _missed(
    values: Floats,
    history: Flags,
    typical_scale: float,
    windows: _Windows,
    parameters: ThresholdParameters,
) -> Floats:
    """Compare days as positions that many apart (n,)."""
    missed = np.zeros(len(values))
    ranges = range_of_last(values, windows.today)
    past = ranges[history & np.isfinite(ranges)]
    if not len(past):
        return missed
    typical = float(np.median(past)) + typical_scale
    today = np.where(_complete(values, windows.today), ranges, np.inf)
    before = _shifted(range_of_last(values, windows.earlier), windows.late)
    least = parameters.edge_excess * today
    places = _candidates(before, least, windows, parameters)
    for low, high in (
        _daily(before, places, windows, parameters),
        _weekly(before, places, windows, parameters),
    ):
        came = low >= least[places]
        at, apart = places[came], np.maximum(typical, high[came] - low[came])
        missed[at] = np.maximum(missed[at], (low[came] - today[at]) / apart)
    return missed


def missed_deviation(
    series: Series, time_zone: str, position: int, parameters: ThresholdParameters
) -> Deviation | None:
    """Return the deviation from what usually comes in the window before a position; None if nothing does.

    Value and expected value are today's and the usual extreme, with the range of 90 % of the days on which it came.
    """
    windows = _Windows.of(series.period, parameters)
    places = places_on_the_clock(series, time_zone)
    values, place = _at_places(places, series.values, np.nan), int(places[position])
    today = series.values[max(position + 1 - windows.today, 0) : position + 1]
    least = parameters.edge_excess * (float(np.max(today)) - float(np.min(today)))
    days = _extremes(values, place, windows, windows.day, _DAYS)
    came = days[days[:, 1] - days[:, 0] >= least]
    if len(came) < parameters.days_with_edges * len(days) / _DAYS:
        weeks = _extremes(values, place, windows, windows.week, parameters.recurring_weeks)
        came = weeks[weeks[:, 1] - weeks[:, 0] >= least]
    if not len(came):
        return None
    own = np.array([np.min(today), np.max(today)])
    side = int(np.argmax(np.abs(np.median(came, axis=0) - own)))
    low, expected, high = np.quantile(came[:, side], [0.05, 0.5, 0.95]).tolist()
    return Deviation(int(series.epochs[position]), float(own[side]), expected, low, high)


def range_of_last(values: Floats, size: int) -> Floats:
    """Return highest less lowest known value of the last `size` positions (n,); -inf where none is known."""
    unknown = np.isnan(values)
    highest = _highest_of_last(np.where(unknown, -np.inf, values), size)
    return np.asarray(highest + _highest_of_last(np.where(unknown, -np.inf, -values), size))


def _at_places(places: Integers, values: NDArray[Any], between: float) -> NDArray[Any]:
    """Return the values at their places, and `between` at the others; of several at one place, the first, which does not look ahead."""
    placed = np.full(int(places.max()) + 1, between, values.dtype)
    placed[places[::-1]] = values[::-1]
    return placed


def _candidates(
    before: Floats, least: Floats, windows: _Windows, parameters: ThresholdParameters
) -> Positions:
    """Return the positions where enough days, or all weeks, reached `least` (n,)."""

    def reached(by: int, times: int) -> NDArray[np.int64]:
        each = [_shifted(before, by * k) >= least for k in range(1, times + 1)]
        return np.asarray(np.sum(each, axis=0))

    # Of the fewest days that must be known, as many in proportion.
    days = int(np.ceil(parameters.days_with_edges**2 / _DAYS))
    daily = reached(windows.day, _DAYS) >= days
    weekly = reached(windows.week, parameters.recurring_weeks) == parameters.recurring_weeks
    return np.flatnonzero(daily | weekly)


def _daily(
    before: Floats, places: Positions, windows: _Windows, parameters: ThresholdParameters
) -> tuple[Floats, Floats]:
    """Return the range (m,) that came on most days, -inf if too few are known, and the highest but one."""
    least = parameters.days_with_edges
    fortnight = _at_earlier(before, places, windows.day, 2 * _DAYS)
    days = fortnight[:_DAYS]
    low = np.minimum(_reached_on(days, least / _DAYS), _reached_on(fortnight, least / _DAYS))
    # A job of workdays is not missed on a Saturday.
    weeks = _at_earlier(before, places, windows.week, parameters.recurring_weeks)
    seen = np.isfinite(weeks).any(axis=0)
    most = (parameters.recurring_weeks - 1) / parameters.recurring_weeks
    low = np.where(seen, np.minimum(low, _reached_on(weeks, most)), low)
    known = np.isfinite(days).sum(axis=0)
    return np.where(known >= least, low, -np.inf), np.sort(days, axis=0)[-_HIGHEST_RANK]


def _weekly(
    before: Floats, places: Positions, windows: _Windows, parameters: ThresholdParameters
) -> tuple[Floats, Floats]:
    """Return the lowest range (m,) of the weeks, -inf unless twice that of the days between, and the highest."""
    weeks = _at_earlier(before, places, windows.week, parameters.recurring_weeks)
    low = weeks.min(axis=0)
    # A daily job that was given up is not missed weekly.
    between = _at_earlier(_shifted(before, windows.week), places, windows.day, _DAYS - 1)
    return np.where(2 * between.max(axis=0) < low, low, -np.inf), weeks.max(axis=0)


def _reached_on(ranges: Floats, share: float) -> Floats:
    """Return the range (m,) reached on such a share of the known days (k, m)."""
    known = np.isfinite(ranges).sum(axis=0)
    rank = np.maximum(np.ceil(known * share - 1e-9).astype(np.intp) - 1, 0)
    return np.asarray(np.take_along_axis(np.sort(ranges, axis=0)[::-1], rank[None, :], axis=0)[0])


def _at_earlier(values: Floats, places: Positions, by: int, times: int) -> Floats:
    """Return the values (times, m) that many positions before the places (m,), once, twice and so on."""
    at = places[None, :] - by * np.arange(1, times + 1)[:, None]
    return np.where(at >= 0, values[np.maximum(at, 0)], -np.inf)


def _extremes(values: Floats, position: int, windows: _Windows, by: int, times: int) -> Floats:
    """Return the lowest and the highest known value of each earlier window (k, 2)."""
    ends = position + 1 - windows.late - by * np.arange(1, times + 1)
    each = [values[max(end - windows.earlier, 0) : end] for end in ends.tolist() if end > 0]
    known = [own for own in each if not np.isnan(own).all()]
    return np.array([(np.nanmin(own), np.nanmax(own)) for own in known]).reshape(-1, 2)


def _highest_of_last(values: Floats, size: int) -> Floats:
    """Return the highest of the last `size` positions (n,), by doubling: the time hardly depends on the size."""
    highest, covered = values, 1
    while covered < size:
        by = min(covered, size - covered)
        highest = np.maximum(highest, _shifted(highest, by))
        covered += by
    return highest


def _shifted(values: Floats, by: int) -> Floats:
    """Return the values that many positions earlier (n,), -inf before the first."""
    result = np.full(len(values), -np.inf)
    result[by:] = values[: max(len(values) - by, 0)]
    return result


def _complete(values: Floats, size: int) -> Flags:
    missing = np.concatenate([[0], np.cumsum(np.isnan(values))])
    ends = np.arange(1, len(values) + 1)
    complete: Flags = (ends >= size) & (missing[ends] == missing[np.maximum(ends - size, 0)])
    return complete
