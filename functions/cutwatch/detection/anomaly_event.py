"""Anomaly events."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import inf
from typing import Any, Literal

# Multiples of the cutoff from which an event is medium or high; a reporting gap is always high.
_MEDIUM, _HIGH = 1.5, 3.0
Severity = Literal["low", "medium", "high"]


def severity_word(severity: float) -> Severity:
    """Return the word for a severity in multiples of the cutoff."""
    if severity >= _HIGH:
        return "high"
    return "medium" if severity >= _MEDIUM else "low"


@dataclass(frozen=True)
class AnomalyEvent:
    """The anomalous datapoints of one incident in one window. Times are ISO 8601, both ends included.

    `severity` is the peak in multiples of the cutoff, None for a reporting gap. `value` is the datapoint with the
    largest deviation from the expected value at its time, in the metric's unit, `expected_low` to `expected_high` the
    range of 90 % of the values. `driver` is `level` or `change`, the feature with the larger deviation. `continues`
    marks the continuation of an incident that was published before.
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
        """Read the payload that `asdict` wrote; ignore fields of another version."""
        return cls(**{f.name: payload[f.name] for f in fields(cls) if f.name in payload})

    @property
    def gravity(self) -> float:
        """The severity, by which events are ranked; infinite for a reporting gap."""
        return inf if self.severity is None else self.severity

    @property
    def severity_word(self) -> Severity:
        """The severity in a word."""
        return severity_word(self.gravity)


@dataclass(frozen=True)
class LastEvent:
    """The newest event of a detector that was published. `end` is ISO 8601."""

    id: str
    end: str


def event_id(detector: str, start: str) -> str:
    """Return the id of the event of a detector that begins at an ISO 8601 time."""
    return f"{detector}:{start}"
