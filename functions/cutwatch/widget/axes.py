"""Axes: round values, round times, and their positions in the picture."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_TIME_STEPS = (
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 7, 14)),
)
_MONTHS = (1, 2, 3, 6, 12)
_MONTH = 30 * _DAY
# The first Monday of 1970, from which weeks are counted.
_MONDAY = 4 * _DAY
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Scale:
    """A range of values and its range of pixels, which may be reversed."""

    low: float
    high: float
    first: float
    last: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; values outside the range are at its edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.first + share * (self.last - self.first)


def value_range(values: list[float]) -> tuple[float, float]:
    """Return a non-empty range around the values, from zero if that costs little height."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    margin = 0.06 * ((high - low) or abs(high) or 1.0)
    bottom = 0.0 if 0 <= low <= 0.4 * high or low == high == 0 else low - margin
    top = high + margin
    # The margin of the smallest possible numbers is zero.
    return (bottom, top) if bottom < top else (low - 1.0, high + 1.0)


def value_ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` round numbers within [low, high], evenly spaced; none if none fits."""
    span = high - low
    if not 0 < span < math.inf or most < 1:
        return []
    power = 10.0 ** math.floor(math.log10(span / most))
    step = next(
        (factor * power for factor in _STEPS if span / (factor * power) <= most), 10 * power
    )
    first = math.ceil(low / step - _ROUNDING)
    last = math.floor(high / step + _ROUNDING)
    return [number * step for number in range(first, last + 1)][:most]


def time_ticks(
    start: datetime, end: datetime, zone: tzinfo, most: int
) -> list[tuple[datetime, str]]:
    """Return at most `most` round times of the zone within [start, end], with their labels."""
    span = (end - start).total_seconds()
    step = next((step for step in _TIME_STEPS if int(span / step) < most), None)
    ticks = list(_months(start, end, zone, most) if step is None else _even(start, end, zone, step))
    return ticks[:most]


def _even(
    start: datetime, end: datetime, zone: tzinfo, step: int
) -> Iterator[tuple[datetime, str]]:
    offset = _offset(start, zone)
    origin = _MONDAY if step % (7 * _DAY) == 0 else 0
    local = start.timestamp() + offset - origin
    tick = math.ceil(local / step) * step + origin - offset
    while tick <= end.timestamp():
        time = datetime.fromtimestamp(tick, UTC).astimezone(zone)
        is_date = step >= _DAY or not (time.hour or time.minute)
        yield time, f"{time.day} {time:%b}" if is_date else f"{time:%H:%M}"
        tick += step


def _months(
    start: datetime, end: datetime, zone: tzinfo, most: int
) -> Iterator[tuple[datetime, str]]:
    months = (end - start).total_seconds() / _MONTH
    every = next((n for n in _MONTHS if int(months / n) < most), _MONTHS[-1])
    local = start.astimezone(zone)
    number = local.year * 12 + local.month
    for later in range(number + (-number % every), number + int(months) + every + 2, every):
        time = datetime(later // 12, later % 12 + 1, 1, tzinfo=zone)
        if start <= time <= end:
            yield time, f"{time:%b %Y}"


def _offset(time: datetime, zone: tzinfo) -> float:
    return (
        zone.utcoffset(time.astimezone(zone).replace(tzinfo=None)) or timedelta()
    ).total_seconds()
