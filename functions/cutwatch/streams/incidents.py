"""Incidents of a key: they begin, become more severe and end, without look-ahead; one at a time."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, NamedTuple

from cutwatch.detection.anomaly_event import Severity, severity_word
from cutwatch.detection.parameters import DEFAULT
from cutwatch.detectors.detector import Direction
from cutwatch.streams.expectation import Expected

# An incident ends this long after its last anomalous row, and not before this many normal rows: keys may be slow.
CALM_SECONDS = DEFAULT.same_incident_seconds
CALM_ROWS = 6
# The reason of an end after which nobody can say how the incident went on.
STATE_WAS_DAMAGED = "the stored state was damaged, so the incident cannot be followed"

ChangeKind = Literal["began", "escalated", "ended"]
# Lane and position of the record that is the row, or the type and the start of the window.
Origin = tuple[str, int]


@dataclass(frozen=True, slots=True)
class ColumnFinding:
    """A column at the peak of an incident. Its attributions add up to the score with those of the other columns.

    `expected` comes from the rows before the incident; None if there were too few.
    """

    column: str
    value: float
    attribution: float
    direction: Direction
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Incident:
    """Consecutive anomalous rows of a key. Times are epoch seconds of event time.

    `severity` is the peak in multiples of the cutoff, `score` the model's score there, `reasons` what a log's record there has in words, `last_time` the time of the last
    anomalous row, `rows` the number of anomalous rows.
    """

    id: str
    key: str
    begin_time: float
    last_time: float
    peak_time: float
    rows: int
    severity: float
    score: float
    columns: tuple[ColumnFinding, ...]
    reasons: tuple[str, ...] = ()

    @property
    def severity_word(self) -> Severity:
        """The severity in a word."""
        return severity_word(self.severity)

    def to_payload(self) -> dict[str, Any]:
        """Return the incident as JSON values."""
        # A sixth of the time of `asdict`, which copies every value.
        payload = {each.name: getattr(self, each.name) for each in fields(self)}
        columns = [
            {each.name: getattr(column, each.name) for each in fields(column)}
            for column in self.columns
        ]
        return payload | {"columns": columns}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Incident":
        """Read back what `to_payload` returned."""
        columns = tuple(_finding(each) for each in payload["columns"])
        reasons = tuple(payload.get("reasons", ()))
        return cls(**{**payload, "columns": columns, "reasons": reasons})


def _finding(payload: Mapping[str, Any]) -> ColumnFinding:
    expected = payload["expected"]
    return ColumnFinding(**{**payload, "expected": Expected(*expected) if expected else None})


class IncidentChange(NamedTuple):
    """A change of an incident, with the incident after it.

    `reason` says why an incident ended whose key was not normal again.
    """

    kind: ChangeKind
    incident: Incident
    reason: str = ""


class Anomaly(NamedTuple):
    """An anomalous row."""

    key: str
    time: float
    severity: float
    score: float
    origin: Origin
    columns: tuple[ColumnFinding, ...]
    reasons: tuple[str, ...] = ()


def incident_id(stream: str, key: str, origin: Origin) -> str:
    """Return the id of the incident that begins with a row: a replay gives the same."""
    content = json.dumps([stream, key, *origin]).encode()
    return f"{stream}:{hashlib.sha256(content).hexdigest()[:16]}"


def is_over(
    incident: Incident, time: float, normal_rows: int, calm_seconds: float = CALM_SECONDS
) -> bool:
    """Return True if the incident is over at this time, after this many normal rows."""
    return normal_rows >= CALM_ROWS and time - incident.last_time > calm_seconds


def begin(stream: str, anomaly: Anomaly) -> Incident:
    """Return the incident that begins with an anomalous row."""
    return Incident(
        id=incident_id(stream, anomaly.key, anomaly.origin),
        key=anomaly.key,
        begin_time=anomaly.time,
        last_time=anomaly.time,
        peak_time=anomaly.time,
        rows=1,
        severity=anomaly.severity,
        score=anomaly.score,
        columns=anomaly.columns,
        reasons=anomaly.reasons,
    )


def continue_with(incident: Incident, anomaly: Anomaly) -> Incident:
    """Return the incident with one more anomalous row."""
    longer = replace(
        incident, rows=incident.rows + 1, last_time=max(incident.last_time, anomaly.time)
    )
    if anomaly.severity <= incident.severity:
        return longer
    return replace(
        longer,
        peak_time=anomaly.time,
        severity=anomaly.severity,
        score=anomaly.score,
        columns=anomaly.columns,
        reasons=anomaly.reasons,
    )
