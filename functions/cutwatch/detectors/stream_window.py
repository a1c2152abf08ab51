"""Windows over a stream's records: each record on its own, or statistics of tumbling windows."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge, Le, Len

from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.record_format import MOST_COLUMNS

WindowType = Literal["none", "tumbling"]
COUNT = "count"
_STATISTIC = re.compile(r"(sum|mean|min|max|p(?:\d{1,2}(?:\.\d{1,2})?|100))\(([^()]+)\)")
_LONGEST = 3_600


@dataclass(frozen=True)
class StreamWindow:
    """`tumbling` windows of `size` seconds of event time become one row each; with `none`, every record is a row.

    `statistics` are the columns of a window's row: `count`, `sum(x)`, `mean(x)`, `min(x)`, `max(x)`, or a percentile
    such as `p95(x)` of a value x. A record is late if it lies more than `allowed_lateness` seconds behind the newest
    event time of its key.
    """

    type: WindowType = "none"
    size: Annotated[int, Ge(1), Le(_LONGEST)] | None = None
    statistics: Annotated[tuple[str, ...], Len(0, MOST_COLUMNS)] = field(default_factory=tuple)
    allowed_lateness: Annotated[float, Ge(0), Le(86_400)] = 60.0

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _problems(self)]
        if problems:
            raise ValueError("\n".join(problems))


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


def _problems(window: StreamWindow) -> Iterator[Problem]:
    if window.type == "none":
        given = [name for name in ("size", "statistics") if getattr(window, name)]
        yield from ((name, "belongs to type: tumbling") for name in given)
    else:
        yield from _tumbling_problems(window)


def _tumbling_problems(window: StreamWindow) -> Iterator[Problem]:
    if window.size is None:
        yield "size", f"is missing; expected seconds, 1 to {_LONGEST}"
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
