"""Expected values of a metric by time of day and week, in the detector's time zone."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from cutwatch.timeseries.arrays import Floats
from cutwatch.timeseries.series import Series

DAY = 86_400
_SATURDAY = 5
# Days of history from which on workdays and weekends, and then the seven weekdays, are told apart.
WORKDAYS_FROM, WEEKDAYS_FROM = 13, 21
# A profile is used if it leaves at most this share of the spread.
USEFUL = 0.8
_SMOOTHED_SLOTS = 2
_DAYS_NEEDED = 2


@dataclass(frozen=True)
class Profile:
    """Median for each slot of the day, by kind of day, and the middle 90 % of the residuals.

    Without a useful seasonality there is one slot: the median of everything. `low` and `high` are relative to it.
    """

    time_zone: str
    slot_seconds: int
    day_kinds: int
    medians: tuple[float, ...]
    low: float
    high: float

    @classmethod
    def fit(cls, series: Series, time_zone: str) -> Self:
        """Fit the profile to a history; `series` may have gaps but not only gaps."""
        values = series.values
        flat = cls._fitted(series, time_zone, DAY, 1)
        days = (series.end - series.start).total_seconds() / DAY
        if days < _DAYS_NEEDED or series.period > DAY // 4 or not series.reported:
            return flat
        kinds = 1 if days < WORKDAYS_FROM else 2 if days < WEEKDAYS_FROM else 7
        rhythmic = cls._fitted(series, time_zone, max(series.period, 300), kinds)
        useful = np.nanstd(values - rhythmic.at(series.epochs)) <= USEFUL * np.nanstd(values)
        return rhythmic if useful else flat

    @classmethod
    def _fitted(cls, series: Series, time_zone: str, slot_seconds: int, kinds: int) -> Self:
        known = ~series.missing
        if not known.any():
            return cls(time_zone, DAY, 1, (0.0,), 0.0, 0.0)
        slots = _slots(series.epochs, time_zone, slot_seconds, kinds)
        medians = _medians(slots[known], series.values[known], kinds, -(-DAY // slot_seconds))
        residual = series.values[known] - medians[slots[known]]
        low, high = np.quantile(residual, [0.05, 0.95])
        return cls(time_zone, slot_seconds, kinds, tuple(medians.tolist()), float(low), float(high))

    def at(self, epochs: NDArray[np.int64]) -> Floats:
        """Return the expected value at each epoch second (n,)."""
        slots = _slots(epochs, self.time_zone, self.slot_seconds, self.day_kinds)
        return np.array(self.medians)[slots]

    def to_payload(self) -> dict[str, Any]:
        """Return the profile as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back a payload of `to_payload`."""
        return cls(**{**payload, "medians": tuple(payload["medians"])})


def _slots(
    epochs: NDArray[np.int64], time_zone: str, slot_seconds: int, kinds: int
) -> NDArray[np.int64]:
    local = epochs + _utc_offsets(epochs, time_zone)
    weekdays = (local // DAY + 3) % 7  # 1970-01-01 was a Thursday
    kind = {1: np.zeros_like(weekdays), 2: (weekdays >= _SATURDAY).astype(np.int64), 7: weekdays}
    per_day = -(-DAY // slot_seconds)
    slots: NDArray[np.int64] = kind[kinds] * per_day + local % DAY // slot_seconds
    return slots


def _utc_offsets(epochs: NDArray[np.int64], time_zone: str) -> NDArray[np.int64]:
    """Return seconds east of UTC; zones change their offset on the quarter hour at the earliest."""
    zone = ZoneInfo(time_zone)
    quarters, inverse = np.unique(epochs // 900, return_inverse=True)
    if time_zone == "UTC" or not len(quarters):
        return np.zeros(len(epochs), np.int64)
    return _offsets_of(quarters * 900, zone)[inverse]


def _offsets_of(epochs: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.int64]:
    """Halve the range until both ends agree and lie within a month: an offset lasts longer than that."""
    first, last = (_offset(int(epochs[i]), zone) for i in (0, -1))
    if first == last and epochs[-1] - epochs[0] <= 20 * DAY:
        return np.full(len(epochs), first, np.int64)
    if len(epochs) == 1:
        return np.array([first], np.int64)
    middle = len(epochs) // 2
    return np.concatenate([_offsets_of(epochs[:middle], zone), _offsets_of(epochs[middle:], zone)])


def _offset(epoch: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(epoch, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _medians(slots: NDArray[np.int64], values: Floats, kinds: int, per_day: int) -> Floats:
    """Return the median of each slot, smoothed over its neighbours; an unseen slot gets the overall median."""
    table = np.full(kinds * per_day, np.nan)
    order = np.argsort(slots, kind="stable")
    seen, starts = np.unique(slots[order], return_index=True)
    for slot, group in zip(seen, np.split(values[order], starts[1:]), strict=True):
        table[slot] = np.median(group)
    table[np.isnan(table)] = np.median(values)
    if per_day == 1:
        return table
    days = table.reshape(kinds, per_day)
    neighbours = range(-_SMOOTHED_SLOTS, _SMOOTHED_SLOTS + 1)
    smoothed: Floats = np.median(
        np.stack([np.roll(days, shift, axis=1) for shift in neighbours]), axis=0
    ).ravel()
    return smoothed
