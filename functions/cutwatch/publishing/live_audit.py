"""A transform as the audit of live runs: one id for each incident, one notification, and how many live runs missed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cutwatch.detection.anomaly_event import SEVERITIES, AnomalyEvent
from cutwatch.detection.incidents import incident_pause
from cutwatch.detectors.detector import Detector
from cutwatch.registry.incident_claims import IncidentClaim, IncidentClaimStore
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.run import Run
from cutwatch.wording import count


@dataclass(frozen=True)
class LiveAudit:
    """Compares the events of a run's windows with what live runs notified, also of detectors that were live until lately."""

    claims: IncidentClaimStore
    run: Run
    now: datetime

    def known(self, detector: Detector, events: Sequence[AnomalyEvent]) -> list[IncidentClaim]:
        """Return the claims on incidents at the time of events."""
        if not events:
            return []
        pause = incident_pause(detector.period)
        first, last = min(each.begins for each in events), max(each.ends for each in events)
        return self.claims.between(detector.name, first - pause, last + pause)

    def claim(self, outcome: Outcome, known: Sequence[IncidentClaim]) -> Outcome:
        """Return the outcome with the events that this run notifies: those that no live run has, or not as severe."""
        is_live = bool((outcome.definition or {}).get("live"))
        if not (is_live or known):
            return outcome
        own = [event for event in outcome.events if self._is_own(outcome.detector, event)]
        notified = len(outcome.events) - len(own)
        missed = sum(not event.continues for event in own)
        message = outcome.message
        if notified:
            message += f"; live runs notified {count(notified, 'incident')}"
        if missed:
            message += f"; live runs missed {count(missed, 'incident')}"
        return replace(
            outcome,
            events=tuple(own),
            message=message,
            live_notified=notified,
            live_missed=missed,
        )

    def _is_own(self, detector: str, event: AnomalyEvent) -> bool:
        """Claim an event; return True if this run notifies it."""
        word = event.severity_word
        claim = self.claims.claim(detector, event, word, self.run.id, self.now)
        if claim.owner == self.run.id:
            return True
        is_worse = SEVERITIES.index(word) > SEVERITIES.index(claim.severity)
        if is_worse:
            key = f"{self.run.id}:{word}"
            self.claims.mark(
                detector, replace(claim, severity=word, notified=claim.notified | {key})
            )
        return is_worse or f"{self.run.id}:{word}" in claim.notified
