"""Faults that are planted in generated access logs."""

from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "slow path", "error burst", "path scan", "method shift", "silence", "level shift", "labelled"
]
_MINUTE, _HOUR = 60, 3_600
# A lasting shift is news for this long; afterwards it is normal.
NEWS_SECONDS = 900
_LASTS: dict[FaultKind, int] = {
    "slow path": 20 * _MINUTE,
    "error burst": 10 * _MINUTE,
    "path scan": 5 * _MINUTE,
    "method shift": 15 * _MINUTE,
    "silence": 10 * _MINUTE,
}


@dataclass(frozen=True)
class Fault:
    """A fault from `start` to `end`, in epoch seconds; that of a level shift is the end of the log."""

    kind: FaultKind
    start: float
    end: float

    def is_active(self, time: float) -> bool:
        """Return True if the fault changes the requests of this time."""
        return self.start <= time < self.end

    def is_news(self, time: float) -> bool:
        """Return True if an alarm at this time is about the fault."""
        until = self.start + NEWS_SECONDS if self.kind == "level shift" else self.end
        return self.start <= time < until


def planted_faults(start: float, end: float) -> tuple[Fault, ...]:
    """Return one fault of each kind between two times, spread evenly; the level shift is the last and stays."""
    kinds: list[FaultKind] = [*_LASTS, "level shift"]
    distance = (end - start) / (len(kinds) + 1)
    faults = []
    for number, kind in enumerate(kinds, start=1):
        begins = start + number * distance
        ends = end if kind == "level shift" else begins + min(_LASTS[kind], distance / 2)
        faults.append(Fault(kind, float(round(begins)), float(round(ends))))
    return tuple(faults)
