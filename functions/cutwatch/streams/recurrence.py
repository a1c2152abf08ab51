"""Severities that recur at their time of day or week: a key must exceed what it does anyway, as a metric must.

`detection/recurrence.py` has the same rule for a whole series. Here, half an hour has one number, and only those count
that could raise a cutoff.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from cutwatch.detection.parameters import DAY, DEFAULT, HOUR

_SECONDS = round(DEFAULT.recurrence_hours * HOUR)
_A_DAY = DAY // _SECONDS
_DAYS = 7
_OLDEST = (_DAYS * DEFAULT.recurring_weeks * _A_DAY) + 1


@dataclass(slots=True)
class RecurringPeaks:
    """The highest severity by half-hours since 1970, of the last three weeks; `since` is the time of the first row."""

    since: float | None = None
    highest: dict[int, float] = field(default_factory=dict)

    def exceeding(self, severity: float, time: float) -> float:
        """Return the severity of the next row with the cutoff raised to recurring peaks, and remember the row's own."""
        if self.since is None:
            self.since = time
        if severity * DEFAULT.recurrence < 1:
            return severity
        number = int(time // _SECONDS)
        recurring = self._recurring(number, int((time - self.since) // DAY))
        if severity > self.highest.get(number, 0.0):
            self.highest[number] = severity
            if len(self.highest) > 1:
                self._forget(number)
        return severity / max(1.0, DEFAULT.recurrence * recurring)

    def _recurring(self, number: int, days: int) -> float:
        """Return the height that most days before, or each week before, reached around this time."""
        known = min(max(days, 0), _DAYS)
        daily = sorted((self._around(number - each * _A_DAY) for each in range(1, known + 1)), reverse=True)  # fmt: skip
        needed = ceil(known * DEFAULT.recurring_days / _DAYS)
        weekly = (self._around(number - each * _DAYS * _A_DAY) for each in range(1, DEFAULT.recurring_weeks + 1))  # fmt: skip
        return max(daily[needed - 1] if known else 0.0, min(weekly))

    def _around(self, number: int) -> float:
        return max(self.highest.get(each, 0.0) for each in (number - 1, number, number + 1))

    def _forget(self, number: int) -> None:
        """Remove what is too old to matter."""
        first = next(iter(self.highest))
        while first < number - _OLDEST:
            del self.highest[first]
            first = next(iter(self.highest))

    def to_payload(self) -> dict[str, Any]:
        """Return the peaks as JSON values."""
        return {"since": self.since, "highest": [*self.highest.items()]}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "RecurringPeaks":
        """Read back what `to_payload` returned."""
        return cls(payload["since"], dict(payload["highest"]))
