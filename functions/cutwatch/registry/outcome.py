"""How one detector's part of a run ended."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.errors import InvalidInput

Status = Literal["TRAINED", "PUBLISHED", "UP_TO_DATE", "NO_DATA", "TOO_LITTLE_HISTORY", "FAILED"]

# Work was done and recorded. UP_TO_DATE, NO_DATA and TOO_LITTLE_HISTORY are no failures either: there was nothing to do.
SUCCESSES: tuple[Status, ...] = ("TRAINED", "PUBLISHED")
MESSAGE_MAX_LENGTH = 2_000


@dataclass(frozen=True)
class Outcome:
    """`message` says in words what happened; the rest is what a transform found. `cutoff` is a score.

    `events` are new ones, the gravest first; with them comes the detector's `definition`, as it was when they were
    found. `datapoints_together` is how many anomalous datapoints were within the minutes that an alarm asks for.
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

    @property
    def gravest(self) -> AnomalyEvent:
        """The gravest of its events; only where there are any."""
        return self.events[0]

    def to_payload(self) -> dict[str, Any]:
        """As it is recorded."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Outcome":
        """Read back what `to_payload` wrote."""
        known = {f.name: payload[f.name] for f in fields(cls) if f.name in payload}
        known["events"] = tuple(map(AnomalyEvent.from_payload, known.get("events", ())))
        return cls(**known)


def failure_of(detector: str, caught: Mapping[str, Any]) -> Outcome:
    """A failure as a state machine caught it (`Error`, `Cause`)."""
    return failure(detector, str(caught["Error"]), _reason(str(caught.get("Cause", ""))))


def failure(detector: str, error: str, reason: str) -> Outcome:
    """A detector's failure, by the name of the error and in words."""
    return Outcome(detector, "FAILED", f"{error}: {reason}"[:MESSAGE_MAX_LENGTH])


def reason_of(ended: Any, field: str) -> str | None:
    """In words, what a state machine caught (`Error`, `Cause`) in this field; None where it caught nothing.

    Raises `InvalidInput` for what is neither null nor an object.
    """
    if ended is None:
        return None
    if not isinstance(ended, Mapping):
        raise InvalidInput(f"{field} is {ended!r:.60}; expected null or an object")
    return failure_of("", ended).message if "Error" in ended else None


def _reason(cause: str) -> str:
    """A function's cause is JSON around the exception's text, a nested execution's is its description, any other is text."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause or "no cause given"
    if not isinstance(parsed, dict):
        return cause
    if "Error" in parsed:
        return f"{parsed['Error']}: {_reason(str(parsed.get('Cause', '')))}"
    return str(parsed.get("errorMessage") or cause)
