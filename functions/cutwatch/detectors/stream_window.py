"""Windows over a stream's records: each record on its own, or statistics of windows of time or of a number of records."""

import math
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.record_format import MOST_COLUMNS

WindowType = Literal["none", "tumbling", "sliding", "stagger", "count"]
EmptyWindows = Literal["ignore", "zero"]
COUNT = "count"
# Percentiles of a window are exact up to this many records, then from a sample of this size.
LARGEST_SAMPLE = 4_096
_STATISTIC = re.compile(r"(sum|mean|min|max|p(?:\d{1,2}(?:\.\d{1,2})?|100))\(([^()]+)\)")
_LONGEST, _MOST_RECORDS = 3_600, 10_000
# Each row merges the steps of its window.
_MOST_STEPS = 360
# Steps that a key keeps at the same time, and values that it keeps for percentiles.
_MOST_PANES, _SAMPLED_VALUES = 1_000, 65_536
# Lanes of a key that wait for one another lie at most this many seconds of event time apart.
_LONGEST_IDLE = 900
# Percentiles from fewer values say little.
_SMALLEST_SAMPLE = 100
# Sum, minimum and maximum of each column.
_AGGREGATES = 3


@dataclass(frozen=True)
class StreamWindow:
    """With `none`, every record is a row; any other type makes a row of each window of `size` seconds of event time.

    `tumbling` windows follow one another; `sliding` ones end every `every` seconds; `stagger` windows open with a key's first
    record. Windows by `count` have `size` records, and end every `every` records. `statistics` are the columns of a row:
    `count`, `sum(x)`, `mean(x)`, `min(x)`, `max(x)`, or a percentile such as `p95(x)` of a value x. A window without records
    has no row, or zeros with `missing_data: zero`. A record is late if it lies more than `allowed_lateness` seconds behind
    the newest event time of its key in the same shard or partition.
    """

    type: WindowType = "none"
    size: Annotated[int, Ge(1), Le(_MOST_RECORDS)] | None = None
    statistics: Annotated[tuple[str, ...], Len(0, MOST_COLUMNS)] = field(default_factory=tuple)
    allowed_lateness: Annotated[float, Ge(0), Le(86_400)] = 60.0
    every: Annotated[int, Ge(1), Le(_MOST_RECORDS)] | None = None
    missing_data: EmptyWindows = "ignore"

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def step(self) -> int:
        """Seconds or records from the end of a window to the end of the next."""
        return self.every or self.size or 1


def parse_statistic(text: str) -> tuple[str, str] | None:
    """Return the function and the value of a statistic, `("p95", "latency")`; None if it is not a valid one."""
    if text == COUNT:
        return COUNT, ""
    match = _STATISTIC.fullmatch(text)
    return (match[1], match[2]) if match else None


def statistics_problems(window: StreamWindow, values: Collection[str]) -> Iterator[Problem]:
    """Yield the statistics of values that the records do not have."""
    for text in window.statistics:
        parsed = parse_statistic(text)
        if parsed and parsed[1] and parsed[1] not in values:
            yield (
                "window.statistics",
                f"{text!r}: {parsed[1]!r} is not one of the record's values {', '.join(values)}",
            )


def pane_sample(window: StreamWindow) -> int:
    """Return the number of values per step and column that percentiles are computed from."""
    panes = _open_panes(window) * _sampled_columns(window)
    return min(LARGEST_SAMPLE, _SAMPLED_VALUES // max(panes, 1))


def most_values(window: StreamWindow, columns: int) -> int:
    """Return the largest number of values that the open windows of a key with this many columns consist of."""
    if window.type == "none":
        return 0
    sampled = _sampled_columns(window) * pane_sample(window)
    return _open_panes(window) * (_AGGREGATES * columns + sampled)


def idle_seconds(window: StreamWindow) -> int:
    """Return how far behind the newest event time of its key a lane may be to keep the key's windows open.

    Lanes that are further behind are idle. With short steps or percentiles it is less, so that what a key keeps stays bounded.
    """
    if window.type in ("none", "count"):
        return _LONGEST_IDLE
    sampled = _sampled_columns(window) * pane_sample(window)
    most = min(_MOST_PANES, _SAMPLED_VALUES // sampled) if sampled else _MOST_PANES
    return max(min(_LONGEST_IDLE, (most - _open_panes(window)) * window.step), 0)


def _sampled_columns(window: StreamWindow) -> int:
    return len({text.partition("(")[2] for text in window.statistics if text.startswith("p")})


def _open_panes(window: StreamWindow) -> int:
    """Return the largest number of steps that a key keeps at the same time."""
    size, step = window.size or 1, window.step
    lateness = 0.0 if window.type == "count" else window.allowed_lateness
    return math.ceil((size + lateness) / step) + 1


def _problems(window: StreamWindow) -> Iterator[Problem]:
    if window.type == "none":
        given = [name for name in ("size", "every", "statistics") if getattr(window, name)]
        yield from (
            (name, "belongs to windows; set type: tumbling, sliding, stagger or count")
            for name in given
        )
        yield from _zero_problems(window)
        return
    rules = (_size_problems, _step_problems, _statistics_problems, _zero_problems)
    found = [problem for rule in rules for problem in rule(window)]
    yield from found or _bound_problems(window)


def _size_problems(window: StreamWindow) -> Iterator[Problem]:
    by_count = window.type == "count"
    unit = f"records, 1 to {_MOST_RECORDS}" if by_count else f"seconds, 1 to {_LONGEST}"
    if window.size is None:
        yield "size", f"is missing; expected {unit}"
    elif not by_count and window.size > _LONGEST:
        yield "size", f"{window.size}: expected {unit}"


def _step_problems(window: StreamWindow) -> Iterator[Problem]:
    if window.every is None:
        if window.type == "sliding":
            yield "every", "is missing; expected the seconds from one row to the next, such as 10"
    elif window.type not in ("sliding", "count"):
        yield "every", "belongs to type: sliding or count"
    elif window.size and window.size % window.every:
        yield "every", f"{window.every} does not divide size, {window.size}"


def _statistics_problems(window: StreamWindow) -> Iterator[Problem]:
    if not window.statistics:
        yield "statistics", "is missing; expected a list such as [count, mean(x), p95(x)]"
    for text in window.statistics:
        if parse_statistic(text) is None:
            yield (
                "statistics",
                f"{text!r} is not count, sum(x), mean(x), min(x), max(x) or a percentile such as p95(x)",
            )
    repeated = sorted({text for text in window.statistics if window.statistics.count(text) > 1})
    if repeated:
        yield "statistics", f"{repeated[0]!r} is named twice"


def _zero_problems(window: StreamWindow) -> Iterator[Problem]:
    if window.missing_data == "ignore":
        return
    if window.type not in ("tumbling", "sliding"):
        yield "missing_data", "'zero' belongs to type: tumbling or sliding; others have no empty windows"  # fmt: skip
    others = [text for text in window.statistics if not text.startswith((COUNT, "sum("))]
    if others:
        yield "missing_data", f"'zero' is for count and sum(x); without records, there is no {others[0]}"  # fmt: skip


def _bound_problems(window: StreamWindow) -> Iterator[Problem]:
    """Yield settings with which a key would keep, or a row merge, too much."""
    steps = (window.size or 1) // window.step
    if steps > _MOST_STEPS:
        yield "every", f"{window.every} divides size, {window.size}, into {steps:,} steps; at most {_MOST_STEPS} are allowed"  # fmt: skip
    elif _open_panes(window) > _MOST_PANES:
        yield "allowed_lateness", f"{window.allowed_lateness:g} s of steps of {window.step} s are too many; at most {_MOST_PANES:,} are kept"  # fmt: skip
    elif pane_sample(window) * steps < _SMALLEST_SAMPLE:
        yield "statistics", "percentiles of this many values would come from too few records; name fewer, or lower allowed_lateness"  # fmt: skip
