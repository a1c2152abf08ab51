"""Anomaly events."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any, Literal

# From which multiple of the cutoff on an event is called medium or high; a silence is always high.
_MEDIUM, _HIGH = 1.5, 3.0


@dataclass(frozen=True)
class AnomalyEvent:
    """One incident. Times are ISO 8601, both ends included.

    `severity` is the peak in multiples of the cutoff, None where silence itself is the event. `value` is the
    datapoint furthest from what is usual at its time (`expected`, and the range that holds 90 %), in the metric's unit;
    `driver` says what stood out, `level` or `change`. `continues` marks an event that was told before.
    """

    id: str
    start: str
    end: str
    peak_time: str
    datapoints: int
    severity: float | None = None
    score: float | None = None
    value: float | None = None
    expected: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    driver: str | None = None
    continues: bool = False

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "AnomalyEvent":
        """Read back what `asdict` wrote; fields of another version are ignored."""
        return cls(**{f.name: payload[f.name] for f in fields(cls) if f.name in payload})

    @property
    def gravity(self) -> float:
        """By which events are ranked: the severity; nothing is graver than silence."""
        return inf if self.severity is None else self.severity

    @property
    def severity_word(self) -> Literal["low", "medium", "high"]:
        """The severity in a word."""
        if self.gravity >= _HIGH:
            return "high"
        return "medium" if self.gravity >= _MEDIUM else "low"


@dataclass(frozen=True)
class LastEvent:
    """The newest event of a detector that was published. `end` is ISO 8601."""

    id: str
    end: str


def event_id(detector: str, start: str) -> str:
    """Return the id of the event of a detector that begins at an ISO 8601 time."""
    return f"{detector}:{start}"
