"""Anomaly events."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from math import inf
from typing import Any, Literal, get_args

from cutwatch.timestamps import format_timestamp, parse_timestamp

Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

# Multiples of the cutoff from which an event is medium or high; a reporting gap is always high.
_MEDIUM, _HIGH = 1.5, 3.0


def severity_word(severity: float) -> Severity:
    """Return the word for a severity in multiples of the cutoff."""
    if severity >= _HIGH:
        return "high"
    return "medium" if severity >= _MEDIUM else "low"


@dataclass(frozen=True)
class AnomalyEvent:
    """The anomalous datapoints of one incident in one window.

    `start` and `end` are the timestamps of the first and the last datapoint (ISO 8601); `begins`, `ends` and `lasts` are what
    people and programs are given: the event ends when the period of its last datapoint ends. `period_seconds` is 0 in
    events that were recorded without it.

    `severity` is the peak in multiples of the cutoff, None for a reporting gap. `value` is the datapoint with the
    largest deviation from the expected value at its time, in the metric's unit, `expected_low` to `expected_high` the
    range of 90 % of the values. `driver` is `level` or `change`, the feature with the larger deviation. `continues`
    marks the continuation of an incident that was published before. `unit` is CloudWatch's name of the values' unit, if
    the detector names one.
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
    period_seconds: int = 0
    unit: str | None = None

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "AnomalyEvent":
        """Read the payload that `asdict` wrote; ignore fields of another version."""
        return cls(**{f.name: payload[f.name] for f in fields(cls) if f.name in payload})

    def to_json(self) -> dict[str, Any]:
        """Return the event as programs read it; `end` is the end of the last datapoint's period."""
        return {
            "id": self.id,
            "severity": self.severity_word,
            "times_cutoff": self.severity,
            "anomaly_score": self.score,
            "start": format_timestamp(self.begins),
            "end": format_timestamp(self.ends),
            "duration_seconds": int(self.lasts.total_seconds()),
            "peak_time": self.peak_time,
            "datapoints": self.datapoints,
            "value": self.value,
            "expected": self.expected,
            "expected_low": self.expected_low,
            "expected_high": self.expected_high,
            "driver": self.driver,
            "unit": self.unit,
        }

    @property
    def begins(self) -> datetime:
        """The time of the first datapoint."""
        return parse_timestamp(self.start)

    @property
    def ends(self) -> datetime:
        """The end of the last datapoint's period."""
        return parse_timestamp(self.end) + timedelta(seconds=self.period_seconds)

    @property
    def lasts(self) -> timedelta:
        """The duration, from the first datapoint to the end of the last one."""
        return self.ends - self.begins

    @property
    def comparable_severity(self) -> float:
        """The severity, by which events are ranked; infinite for a reporting gap."""
        return inf if self.severity is None else self.severity

    @property
    def severity_word(self) -> Severity:
        """The severity in a word."""
        return severity_word(self.comparable_severity)


@dataclass(frozen=True)
class LastEvent:
    """The newest incident of a detector that was published, as it was so far.

    `end` is the timestamp of its last datapoint (ISO 8601). Without a `severity`, an older version recorded it.
    """

    id: str
    end: str
    severity: Severity | None = None
    datapoints: int = 0


def event_id(detector: str, start: str) -> str:
    """Return the id of the event of a detector that begins at an ISO 8601 time."""
    return f"{detector}:{start}"


def event_start(event: str) -> str:
    """Return the ISO 8601 time at which the event with this id begins."""
    return event.partition(":")[2]


def is_at_least(event: AnomalyEvent, severity: Severity) -> bool:
    """Return True if an event is at least as severe."""
    return SEVERITIES.index(event.severity_word) >= SEVERITIES.index(severity)
