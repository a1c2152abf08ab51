"""The median course of a metric over the day and the week, in the detector's own time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series

Integers = NDArray[np.int64]

DAY = 86_400
_SATURDAY = 5
_WEEKDAYS, _A_MONDAY = 7, 4  # of the days since 1970-01-01
# Days of history from which on a profile by day, by workday and weekend, and by weekday is considered.
_DAYS_NEEDED = {1: 2, 2: 8, 7: 14}
# Older days say less about what is usual now.
_LONGEST_PROFILE = 56 * DAY
# A profile is chosen over a simpler one if it leaves at most this share of the error.
_WORTH_ITS_PRICE = 0.95
# Slots are at least this long; each is smoothed over this much on either side (seconds).
SHORTEST_SLOT, _SMOOTHED = 300, 600
# A kind of day is known after so much of it.
_FAMILIAR = DAY // 2
_WINSORISED = 0.98


@dataclass(frozen=True, eq=False)
class Profile:
    """The median for each slot of the day, by kind of day: table (kinds, slots).

    One kind of day is every day, two are workday and weekend, seven are the weekdays. Without a rhythm there is one
    slot, the median of everything.
    """

    time_zone: str
    slot_seconds: int
    table: Floats

    @classmethod
    def fit(cls, series: Series, time_zone: str) -> tuple[Self, Floats]:
        """Return the simplest profile whose leave-one-out error is within 5 % of the best one's, and its leave-one-out residuals.

        The residuals (n,) are each datapoint less the profile of the other days: what a new datapoint would have left.
        """
        epochs, values = series.epochs, series.values
        known = ~np.isnan(values) & (epochs >= epochs[-1] - _LONGEST_PROFILE)
        centre = float(np.median(values[known]))
        candidates = [(cls(time_zone, DAY, np.array([[centre]])), values - centre)]
        for kinds in _kinds_considered(series):
            candidates.append(cls._by_kind(series, known, kinds, candidates[-1], time_zone))
        errors = [_error(residuals[known]) for _, residuals in candidates]
        worthwhile = np.array(errors) <= min(errors) / _WORTH_ITS_PRICE
        return candidates[int(np.argmax(worthwhile))]

    @classmethod
    def _by_kind(
        cls,
        series: Series,
        known: NDArray[np.bool_],
        kinds: int,
        simpler: tuple[Self, Floats],
        time_zone: str,
    ) -> tuple[Self, Floats]:
        """Return the profile of this many kinds of day; where it knows no day, the simpler one's."""
        slot_seconds = min(max(series.period, SHORTEST_SLOT), DAY)
        days, slots = _days_and_slots(series.epochs, time_zone, slot_seconds)
        grid = _by_day(days - days[0], slots, np.where(known, series.values, np.nan), slot_seconds)
        kind = _kind_of(days[0] + np.arange(len(grid)), kinds)
        table = np.stack([_nanmedian(grid[kind == one]) for one in range(kinds)])
        others = np.full(grid.shape, np.nan)
        for one in range(kinds):
            others[kind == one] = _median_of_others(grid[kind == one])
        reach = _SMOOTHED // slot_seconds
        fallback = simpler[0].of_slots(kinds, table.shape[1], slot_seconds)
        table = _smoothed(np.where(np.isnan(table), fallback, table), reach, wrap=True)
        residuals = series.values - _smoothed(others, reach, wrap=False)[days - days[0], slots]
        residuals = np.where(np.isnan(residuals), simpler[1], residuals)
        return cls(time_zone, slot_seconds, table), residuals

    def of_slots(self, kinds: int, slots: int, slot_seconds: int) -> Floats:
        """Return the profile as a table (kinds, slots) of more kinds of day."""
        if self.slot_seconds != slot_seconds:
            return np.full((kinds, slots), self.table[0, 0])
        own = np.zeros(kinds, np.int64)
        if kinds == _WEEKDAYS:
            own = _kind_of(np.arange(kinds) + _A_MONDAY, len(self.table))
        return np.asarray(self.table[own])

    def at(self, epochs: Epochs) -> Floats:
        """Return the profile at each epoch second (n,)."""
        days, slots = _days_and_slots(epochs, self.time_zone, self.slot_seconds)
        return np.asarray(self.table[_kind_of(days, len(self.table)), slots])

    @property
    def is_flat(self) -> bool:
        """True if the metric has no rhythm."""
        return self.table.size == 1


def slots_of_day(epochs: Epochs, time_zone: str, period: int) -> tuple[Integers, int]:
    """Return the slot of the day (n,) that each epoch second lies in, and how many a day has."""
    slot_seconds = min(max(period, SHORTEST_SLOT), DAY)
    return _days_and_slots(epochs, time_zone, slot_seconds)[1], -(-DAY // slot_seconds)


def places_on_the_clock(series: Series, time_zone: str) -> Integers:
    """Return the place (n,) of each position on a grid of local time, on which days are equally long.

    When the clocks go forward, an hour's places are left out; when they go back, they come twice.
    """
    offsets = _utc_offsets(series.epochs, time_zone)
    return np.arange(len(series)) + (offsets - int(offsets.min())) // series.period


def familiar_days(series: Series, history: NDArray[np.bool_], time_zone: str) -> NDArray[np.bool_]:
    """Flag positions (n,) whose kind of day, workday or weekend, lasted half a day in the history.

    The day after one of an unknown kind is not familiar either: its level was taken from that one.
    """
    days, _ = _days_and_slots(series.epochs, time_zone, DAY)
    kind = _kind_of(days, kinds=2)
    known = history & ~series.missing
    least = _FAMILIAR // series.period
    seen = np.array([np.count_nonzero(kind[known] == one) >= least for one in range(2)])
    own, before = seen[kind], seen[_kind_of(days - 1, kinds=2)]
    return np.asarray(history | (own & before))


def _kinds_considered(series: Series) -> list[int]:
    days = len(series) * series.period / DAY
    return [
        kinds
        for kinds, needed in _DAYS_NEEDED.items()
        if days >= needed and (kinds == _WEEKDAYS or series.period < DAY)
    ]


def _error(residuals: Floats) -> float:
    """Return the mean absolute residual, the largest 2 % held back: incidents say nothing of a profile."""
    sizes = np.abs(residuals)
    return float(np.mean(np.minimum(sizes, np.quantile(sizes, _WINSORISED))))


def _days_and_slots(epochs: Epochs, time_zone: str, slot_seconds: int) -> tuple[Integers, Integers]:
    local = epochs + _utc_offsets(epochs, time_zone)
    return local // DAY, local % DAY // slot_seconds


def _kind_of(days: Integers, kinds: int) -> Integers:
    weekdays = (days + 3) % 7  # 1970-01-01 was a Thursday
    if kinds == 1:
        return np.zeros_like(weekdays)
    return weekdays if kinds == _WEEKDAYS else (weekdays >= _SATURDAY).astype(np.int64)


def _by_day(days: Integers, slots: Integers, values: Floats, slot_seconds: int) -> Floats:
    """Return the mean of each day's slots (days, slots), NaN where nothing was reported."""
    shape = (int(days[-1]) + 1, -(-DAY // slot_seconds))
    known = ~np.isnan(values)
    places = days[known] * shape[1] + slots[known]
    counts = np.bincount(places, minlength=shape[0] * shape[1])
    sums = np.bincount(places, values[known], minlength=len(counts))
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan).reshape(shape)


def _nanmedian(grid: Floats, axis: int = 0) -> Floats:
    """Medians without numpy's warning where nothing is known."""
    count = np.sum(~np.isnan(grid), axis=axis)
    ordered = np.sort(grid, axis=axis)
    low = np.expand_dims(np.maximum((count - 1) // 2, 0), axis)
    high = np.expand_dims(count // 2 * (count > 1), axis)
    if not ordered.shape[axis]:
        return np.full(count.shape, np.nan)
    middle = np.take_along_axis(ordered, low, axis) + np.take_along_axis(ordered, high, axis)
    return np.asarray(np.squeeze(middle, axis) / 2)


def _median_of_others(grid: Floats) -> Floats:
    """For each value (days, slots) the median of its slot on the other days; NaN where there is none."""
    count = np.sum(~np.isnan(grid), axis=0) - 1
    ordered = np.sort(grid, axis=0)
    rank = np.argsort(np.argsort(grid, axis=0, kind="stable"), axis=0, kind="stable")
    positions = [
        np.broadcast_to(np.maximum(half, 0), grid.shape) for half in ((count - 1) // 2, count // 2)
    ]
    last = max(len(grid) - 1, 0)
    middles = [
        np.take_along_axis(ordered, np.minimum(place + (place >= rank), last), axis=0)
        for place in positions
    ]
    unknown = np.isnan(grid) | (count < 1)
    return np.where(unknown, np.nan, (middles[0] + middles[1]) / 2)


def _smoothed(table: Floats, reach: int, *, wrap: bool) -> Floats:
    """Return the median over `reach` neighbouring slots on either side."""
    if not reach:
        return table
    padded = np.pad(table, ((0, 0), (reach, reach)), mode="wrap" if wrap else "edge")
    neighbours = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1)
    return _nanmedian(neighbours, axis=2)


def _utc_offsets(epochs: Epochs, time_zone: str) -> Integers:
    """Seconds east of UTC; zones change their offset on the quarter hour at the earliest."""
    zone = ZoneInfo(time_zone)
    if time_zone == "UTC" or not len(epochs):
        return np.zeros(len(epochs), np.int64)
    quarters, inverse = np.unique(epochs // 900, return_inverse=True)
    return _offsets_of(quarters * 900, zone)[inverse]


def _offsets_of(moments: Epochs, zone: ZoneInfo) -> Integers:
    """Halve the range until both ends agree and lie within a month: an offset lasts longer than that."""
    first, last = (_offset(int(moments[i]), zone) for i in (0, -1))
    if first == last and moments[-1] - moments[0] <= 20 * DAY:
        return np.full(len(moments), first, np.int64)
    if len(moments) == 1:
        return np.array([first], np.int64)
    middle = len(moments) // 2
    return np.concatenate(
        [_offsets_of(moments[:middle], zone), _offsets_of(moments[middle:], zone)]
    )


def _offset(epoch: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(epoch, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0
