"""Columns that only grow with time: each later value is higher than all that a model has learned."""

from collections.abc import Sequence
from itertools import pairwise

_FEWEST_ROWS = 100
# Clocks and retries put some rows out of order.
_GROWING_SHARE = 0.99


def growing(columns: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> list[str]:
    """Return the columns whose values hardly ever fall from one time to the next; `rows` are times with rows.

    Times are compared as numbers if they are numbers, otherwise as texts, which is right for ISO 8601. Few rows show nothing.
    """
    if len(rows) < _FEWEST_ROWS:
        return []
    ordered = [row for _, row in sorted(rows, key=lambda each: _comparable(each[0]))]
    return [
        name for place, name in enumerate(columns) if _only_grows([row[place] for row in ordered])
    ]


def _only_grows(values: Sequence[float]) -> bool:
    steps = [later - earlier for earlier, later in pairwise(values)]
    moved = [step for step in steps if step]
    return len(moved) >= _FEWEST_ROWS // 2 and sum(
        step > 0 for step in moved
    ) >= _GROWING_SHARE * len(moved)


def _comparable(time: str) -> tuple[float, str]:
    try:
        return float(time), ""
    except ValueError:
        return 0.0, time
