"""Outcomes: the end of each detector's part of a run."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.errors import InvalidInput

Status = Literal["TRAINED", "PUBLISHED", "UP_TO_DATE", "NO_DATA", "TOO_LITTLE_HISTORY", "FAILED"]

# Work was done and recorded. UP_TO_DATE, NO_DATA and TOO_LITTLE_HISTORY are not failures either: there was nothing to do.
SUCCESSES: tuple[Status, ...] = ("TRAINED", "PUBLISHED")
MESSAGE_MAX_LENGTH = 2_000


@dataclass(frozen=True)
class Outcome:
    """The end of one detector's part of a run, with a `message` in words.

    The other fields are the results of a transform. `cutoff` is a score. `events` are the new events, the most severe
    first, with the `definition` of their detector at the time (also given with an `outage`). `datapoints_together` is the largest number of anomalous
    datapoints within the evaluation window of an alarm. `outage` are the first and last timestamp (ISO 8601) of an unusual
    time without data of a detector that ignores missing data. `live_notified` and `live_missed` count the new incidents of a
    live detector that a live run had notified, and that none had; None of other detectors.
    """

    detector: str
    status: Status
    message: str
    datapoints: int = 0
    anomalous_datapoints: int = 0
    max_anomaly_score: float | None = None
    cutoff: float | None = None
    new_events: int = 0
    events: tuple[AnomalyEvent, ...] = field(default=())
    definition: Mapping[str, Any] | None = None
    datapoints_together: int | None = None
    outage: tuple[str, str] | None = None
    live_notified: int | None = None
    live_missed: int | None = None

    @property
    def most_severe(self) -> AnomalyEvent:
        """The most severe event, of an outcome with events."""
        return self.events[0]

    def to_payload(self) -> dict[str, Any]:
        """Return the payload that `from_payload` reads."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Outcome":
        """Read the payload that `to_payload` wrote."""
        known = {f.name: payload[f.name] for f in fields(cls) if f.name in payload}
        known["events"] = tuple(map(AnomalyEvent.from_payload, known.get("events", ())))
        known["outage"] = tuple(known["outage"]) if known.get("outage") else None
        return cls(**known)


def failure_of(detector: str, caught: Mapping[str, Any]) -> Outcome:
    """Return the outcome for a failure that a state machine caught (`Error`, `Cause`)."""
    return failure(detector, str(caught["Error"]), _reason(str(caught.get("Cause", ""))))


def failure(detector: str, error: str, reason: str) -> Outcome:
    """Return the outcome for a failure, by the name of its error and the reason in words."""
    return Outcome(detector, "FAILED", f"{error}: {reason}"[:MESSAGE_MAX_LENGTH])


def reason_of(ended: Any, field: str) -> str | None:
    """Return in words the failure that a state machine caught (`Error`, `Cause`) in a field; None if there is none.

    Raises `InvalidInput` for a value that is neither null nor an object.
    """
    if ended is None:
        return None
    if not isinstance(ended, Mapping):
        raise InvalidInput(f"{field} is {ended!r:.60}; expected null or an object")
    return failure_of("", ended).message if "Error" in ended else None


def _reason(cause: str) -> str:
    """Return the reason in a cause: JSON around an exception's text, the description of a nested execution, or text."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause or "no cause given"
    if not isinstance(parsed, dict):
        return cause
    if "Error" in parsed:
        return f"{parsed['Error']}: {_reason(str(parsed.get('Cause', '')))}"
    return str(parsed.get("errorMessage") or cause)
