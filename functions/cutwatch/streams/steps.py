"""Steps of a smooth key from row to row: a forest of values sees a sudden change late, or not at all.

Sizes are those of `features/changes.py`, of the latest rows. Whether a key is smooth, and what its steps usually are, is
looked up every `_EVERY` rows; between, a row costs a subtraction per column.
"""

from collections.abc import Sequence
from math import hypot
from operator import sub

from cutwatch.detection.parameters import DEFAULT
from cutwatch.streams.expectation import ROWS, RecentRows
from cutwatch.streams.window_statistics import percentile

_EVERY = ROWS // 2
# Lag-one autocorrelation of a smooth key, as of a smooth metric.
_SMOOTH = 0.9
# A scale is no smaller than these shares of the overall scale of steps, of their upper 5 %, of the values' middle 90 %.
_SHARE_OF_SCALE, _SHARE_OF_TAIL, _SHARE_OF_SPREAD = 0.3, 0.1, 0.01
_MAD_TO_DEVIATION = 1.4826


def step_limits(recent: RecentRows, limits: list[float], smoothest: float = _SMOOTH) -> list[float]:
    """Return the step of each column that reaches the cutoff, 0 for columns that are less smooth.

    `limits` are those so far; they stay for some rows.
    """
    if recent.count % _EVERY:
        return limits
    return [_limit(column, smoothest) for column in recent.columns()]


def lag_one_autocorrelations(recent: RecentRows) -> list[float]:
    """Return the lag-one autocorrelation of each column's latest rows, robustly; 0 for a constant."""
    return [
        _autocorrelation(column, list(map(sub, column[1:], column))) for column in recent.columns()
    ]


def step_multiple(recent: RecentRows, row: Sequence[float], limits: Sequence[float]) -> float:
    """Return the largest step from the latest row to this one, in multiples of its limit; 0 without limits."""
    if not any(limits):
        return 0.0
    latest = recent.latest()
    return max(
        (
            abs(value - before) / limit
            for value, before, limit in zip(row, latest, limits, strict=True)
            if limit
        ),
        default=0.0,
    )


def _limit(values: Sequence[float], smoothest: float) -> float:
    """Return the limit of a column by its latest values, oldest first."""
    steps = list(map(sub, values[1:], values))
    spread = _spread(sorted(values))
    if not spread or _autocorrelation(values, steps) < smoothest:
        return 0.0
    sizes = sorted(map(abs, steps))
    usual = _MAD_TO_DEVIATION * percentile(sizes, 50)
    floor = max(
        _SHARE_OF_SCALE * usual, _SHARE_OF_TAIL * percentile(sizes, 95), _SHARE_OF_SPREAD * spread
    )
    return DEFAULT.change_size * (hypot(usual, floor) + percentile(sizes, 100 * DEFAULT.tail))


def _autocorrelation(values: Sequence[float], steps: Sequence[float]) -> float:
    spread = _spread(sorted(values))
    return 1 - (_spread(sorted(steps)) / spread) ** 2 / 2 if spread else 0.0


def _spread(ordered: Sequence[float]) -> float:
    return percentile(ordered, 95) - percentile(ordered, 5)
