"""A change of a live incident together with the claim on the incident: whether it is news, and how it is worded."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from cutwatch.detection.anomaly_event import SEVERITIES
from cutwatch.live.live_bucket import OutboxEntry
from cutwatch.live.live_incident import IncidentChange
from cutwatch.registry.incident_claims import LIVE, IncidentClaim
from cutwatch.registry.outcome import Outcome
from cutwatch.wording import span_in_words

Channel = Literal["people", "bus"]


@dataclass(frozen=True)
class ClaimedChange:
    """A change to notify, with the claim on its incident; whether its detector is silenced, and the incident over by now."""

    entry: OutboxEntry
    claim: IncidentClaim
    silenced: bool
    over: bool = False

    @property
    def incident(self) -> str:
        """Id of the incident."""
        return self.entry.change.event.id

    @property
    def detector(self) -> str:
        """Name of the detector."""
        return str(self.entry.definition["name"])

    @property
    def is_first_end(self) -> bool:
        """True for the first end of an incident that was mailed, unless it is part of another one, which goes on."""
        change = self.entry.change
        if change.kind != "ended" or change.joined or not self.claim.mailed:
            return False
        return not any(key.startswith("people:ended:") for key in self.claim.notified)

    def key(self, channel: Channel) -> str:
        """Return the key of the change in a channel."""
        return f"{channel}:{self.entry.change.key}"

    @property
    def outcome(self) -> Outcome:
        """The incident as messages show it."""
        event = self.entry.change.event
        return Outcome(
            self.detector,
            "PUBLISHED",
            _sentence(self.entry.change, over=self.over),
            new_events=1,
            events=(event,),
            definition=self.entry.definition,
        )


def as_known(entry: OutboxEntry, claim: IncidentClaim) -> OutboxEntry:
    """Return a beginning as an escalation, if the incident was notified already and its state was lost."""
    notified = {f"{channel}:began" for channel in get_args(Channel)} <= claim.notified
    if entry.change.kind == "began" and notified and _is_worse(entry, claim):
        return replace(entry, change=replace(entry.change, kind="escalated"))
    return entry


def is_news(entry: OutboxEntry, claim: IncidentClaim) -> bool:
    """Return False for a beginning or severity that a transform notified."""
    if claim.owner == LIVE or entry.change.kind not in ("began", "escalated"):
        return True
    return _is_worse(entry, claim)


def _is_worse(entry: OutboxEntry, claim: IncidentClaim) -> bool:
    word = entry.change.event.severity_word
    return SEVERITIES.index(word) > SEVERITIES.index(claim.severity)


def _sentence(change: IncidentChange, *, over: bool) -> str:
    lasts = span_in_words(change.event.lasts)
    if over and change.kind != "ended":
        return f"an incident of {lasts}, over by now"
    return {
        "began": f"an incident began, {lasts} so far",
        "escalated": f"an incident is more severe now, {lasts} so far",
        "resumed": f"an incident goes on, {lasts} so far",
        "ended": _end(change, lasts),
    }[change.kind]


def _end(change: IncidentChange, lasts: str) -> str:
    if change.withdrawn:
        return f"an incident was withdrawn: {change.reason}"
    if change.reason:
        return f"an incident ended early, after {lasts}: {change.reason}"
    return f"an incident is over after {lasts}"
