"""Incidents of a live detector as its state knows them, and what can change about them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from cutwatch.detection.anomaly_event import AnomalyEvent, Severity

ChangeKind = Literal["began", "escalated", "ended", "resumed"]


@dataclass(frozen=True)
class LiveIncident:
    """A notified incident as it was in the last run, with the highest severity that was notified."""

    event: AnomalyEvent
    severity: Severity
    ended: bool

    def to_payload(self) -> dict[str, Any]:
        """Return the incident as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` returned."""
        event = AnomalyEvent.from_payload(payload["event"])
        return cls(event, payload["severity"], payload["ended"])


Incidents = dict[str, LiveIncident]


@dataclass(frozen=True)
class IncidentChange:
    """A change of an incident. An end that is not the metric's own has a `reason`.

    `withdrawn` ends an incident that later datapoints, or another entry or model, do not confirm; `joined` one that turned
    out to be part of another.
    """

    kind: ChangeKind
    event: AnomalyEvent
    withdrawn: bool = False
    joined: bool = False
    reason: str | None = None

    @property
    def key(self) -> str:
        """The name of the change among those of its incident; the same after a repetition."""
        if self.kind == "began":
            return self.kind
        if self.kind == "escalated":
            return f"{self.kind}:{self.event.severity_word}"
        return f"{self.kind}:{self.event.end}"

    def to_payload(self) -> dict[str, Any]:
        """Return the change as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` returned."""
        event = AnomalyEvent.from_payload(payload["event"])
        return cls(
            payload["kind"], event, payload["withdrawn"], payload["joined"], payload["reason"]
        )


def ended_early(known: Incidents, reason: str) -> tuple[list[IncidentChange], Incidents]:
    """End every incident that lasts, because its detector is not scored any more; return the changes and what remains."""
    lasting = [each for each in known.values() if not each.ended]
    changes = [IncidentChange("ended", each.event, reason=reason) for each in lasting]
    return changes, {name: replace(each, ended=True) for name, each in known.items()}
