"""Delivery of a bucket's outbox: records, EventBridge and emails, each change once, and none that a transform notified."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from cutwatch.detection.anomaly_event import SEVERITIES, is_at_least
from cutwatch.errors import CutwatchError
from cutwatch.live.live_bucket import OutboxEntry
from cutwatch.notifications import eventbridge
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.notifications.live_messages import of_endings, of_incidents
from cutwatch.registry.incident_claims import LIVE, IncidentClaim
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.silences import in_force
from cutwatch.wording import span_in_words

# Changes that are recorded together: after a crash in between, these are notified twice.
_AT_ONCE = 20

_Channel = Literal["people", "bus"]


@dataclass(frozen=True)
class _Claimed:
    """A change to notify, with the claim on its incident."""

    entry: OutboxEntry
    claim: IncidentClaim
    silenced: bool

    @property
    def detector(self) -> str:
        """Name of the detector."""
        return str(self.entry.definition["name"])

    @property
    def is_first_end(self) -> bool:
        """True for the first end of an incident that was mailed."""
        change = self.entry.change
        if change.kind != "ended" or change.withdrawn or not self.claim.mailed:
            return False
        return not any(key.startswith("people:ended:") for key in self.claim.notified)

    def key(self, channel: _Channel) -> str:
        """Return the key of the change in a channel."""
        return f"{channel}:{self.entry.change.key}"

    @property
    def outcome(self) -> Outcome:
        """The incident as messages show it."""
        event = self.entry.change.event
        return Outcome(
            self.detector,
            "PUBLISHED",
            _sentence(self.entry),
            new_events=1,
            events=(event,),
            definition=self.entry.definition,
        )


@dataclass(frozen=True)
class LiveNotifier:
    """Notifies changes of incidents. EventBridge gets every change; people get beginnings, escalations and ends.

    A change that is in the registry as notified is not notified again, whatever the outbox says.
    """

    audience: Audience
    registry: Registry
    place: StackPlace
    clock: Callable[[], datetime]

    def __call__(self, outbox: list[OutboxEntry]) -> None:
        """Empty an outbox. A channel's failure does not stop the other one; it is raised, and its changes stay."""
        now = self.clock()
        silenced = {each.detector for each in in_force(self.registry.silences.all(), now)}
        while outbox:
            some = outbox[:_AT_ONCE]
            claimed = [*self._claimed(some, silenced, now)]
            self._through_every_channel(claimed)
            del outbox[: len(some)]

    def _through_every_channel(self, claimed: Sequence[_Claimed]) -> None:
        errors: list[CutwatchError] = []
        channels: tuple[tuple[_Channel, Callable[[Sequence[_Claimed]], None]], ...] = (
            ("people", self._mail),
            ("bus", self._put),
        )
        for channel, send in channels:
            new = [each for each in claimed if each.key(channel) not in each.claim.notified]
            try:
                send(new)
                for each in new:
                    self._mark(each, channel)
            except CutwatchError as error:
                errors.append(error)
        for first in errors:
            raise first

    def _claimed(
        self, entries: Sequence[OutboxEntry], silenced: set[str], now: datetime
    ) -> Iterator[_Claimed]:
        """Record each change and claim its incident; yield those that no transform has notified."""
        for entry in entries:
            name, change = str(entry.definition["name"]), entry.change
            severity = change.event.severity_word
            claim = self.registry.claims.claim(name, change.event, severity, LIVE, now)
            parts = () if change.withdrawn else entry.parts
            self.registry.events.replace(name, change.event, parts, LIVE, now)
            if _is_news(entry, claim):
                yield _Claimed(_as_known(entry, claim), claim, name in silenced)

    def _put(self, claimed: Sequence[_Claimed]) -> None:
        entries = [
            eventbridge.entry(
                each.outcome,
                each.entry.change.event,
                self.place,
                LIVE,
                change="withdrawn" if each.entry.change.withdrawn else each.entry.change.kind,
                silenced=each.silenced,
            )
            for each in claimed
        ]
        eventbridge.put(self.audience.eventbridge, entries)

    def _mail(self, claimed: Sequence[_Claimed]) -> None:
        news = [each for each in claimed if self._is_mailed(each)]
        begun = {each.entry.change.event.id for each in news}
        over = [
            each
            for each in claimed
            if each.is_first_end and not each.silenced and each.entry.change.event.id not in begun
        ]
        for found, write in ((news, of_incidents), (over, of_endings)):
            if found:
                message = write([each.outcome for each in found], self.place)
                self.audience.sns.publish(TopicArn=self.audience.topic_arn, **message.to_request())

    def _is_mailed(self, claimed: _Claimed) -> bool:
        change = claimed.entry.change
        is_severe = is_at_least(change.event, self.audience.least_severity)
        return change.kind in ("began", "escalated") and is_severe and not claimed.silenced

    def _mark(self, claimed: _Claimed, channel: _Channel) -> None:
        claim, change = self._newest(claimed), claimed.entry.change
        severity = max(claim.severity, change.event.severity_word, key=SEVERITIES.index)
        self.registry.claims.mark(
            claimed.detector,
            replace(
                claim,
                event=change.event,
                severity=severity,
                notified=claim.notified | {claimed.key(channel)},
                mailed=claim.mailed or self._is_mailed(claimed),
            ),
        )

    def _newest(self, claimed: _Claimed) -> IncidentClaim:
        """Return the claim as an earlier change of the same incident has left it."""
        change, now = claimed.entry.change, self.clock()
        return self.registry.claims.claim(
            claimed.detector, change.event, change.event.severity_word, LIVE, now
        )


def _as_known(entry: OutboxEntry, claim: IncidentClaim) -> OutboxEntry:
    """Return a beginning as an escalation, if the incident was notified already and its state was lost."""
    notified = {f"{channel}:began" for channel in get_args(_Channel)} <= claim.notified
    if entry.change.kind == "began" and notified and _is_worse(entry, claim):
        return replace(entry, change=replace(entry.change, kind="escalated"))
    return entry


def _is_news(entry: OutboxEntry, claim: IncidentClaim) -> bool:
    """Return False for a beginning or severity that a transform notified."""
    if claim.owner == LIVE or entry.change.kind not in ("began", "escalated"):
        return True
    return _is_worse(entry, claim)


def _is_worse(entry: OutboxEntry, claim: IncidentClaim) -> bool:
    word = entry.change.event.severity_word
    return SEVERITIES.index(word) > SEVERITIES.index(claim.severity)


def _sentence(entry: OutboxEntry) -> str:
    change = entry.change
    lasts = span_in_words(change.event.lasts)
    return {
        "began": f"an incident began, {lasts} so far",
        "escalated": f"an incident is more severe now, {lasts} so far",
        "resumed": f"an incident goes on, {lasts} so far",
        "ended": "an incident was withdrawn: later datapoints do not confirm it"
        if change.withdrawn
        else f"an incident is over after {lasts}",
    }[change.kind]
