"""Delivery of a bucket's outbox: records, EventBridge and emails, each change once, and none that a transform notified."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cutwatch.detection.anomaly_event import SEVERITIES, is_at_least
from cutwatch.errors import CutwatchError
from cutwatch.live.claimed_change import Channel, ClaimedChange, as_known, is_news
from cutwatch.live.live_bucket import OutboxEntry
from cutwatch.notifications import eventbridge
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.notifications.live_messages import of_endings, of_incidents
from cutwatch.notifications.messages import Notification
from cutwatch.registry.incident_claims import LIVE, IncidentClaim
from cutwatch.registry.registry import Registry
from cutwatch.registry.silences import in_force

# Changes that are recorded together: after a crash in between, these are notified twice.
_AT_ONCE = 20


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

    def _through_every_channel(self, claimed: Sequence[ClaimedChange]) -> None:
        errors: list[CutwatchError] = []
        channels: tuple[tuple[Channel, Callable[[Sequence[ClaimedChange]], None]], ...] = (
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
    ) -> Iterator[ClaimedChange]:
        """Record each change and claim its incident; yield those that no transform has notified."""
        for entry in entries:
            name, change = str(entry.definition["name"]), entry.change
            severity = change.event.severity_word
            claim = self.registry.claims.claim(name, change.event, severity, LIVE, now)
            if change.withdrawn or entry.parts:
                parts = () if change.withdrawn else entry.parts
                self.registry.events.replace(name, change.event, parts, LIVE, now)
            if is_news(entry, claim):
                yield ClaimedChange(as_known(entry, claim), claim, name in silenced)

    def _put(self, claimed: Sequence[ClaimedChange]) -> None:
        entries = [
            eventbridge.entry(
                each.outcome,
                each.entry.change.event,
                self.place,
                LIVE,
                change="withdrawn" if each.entry.change.withdrawn else each.entry.change.kind,
                silenced=each.silenced,
                reason=each.entry.change.reason,
            )
            for each in claimed
        ]
        eventbridge.put(self.audience.eventbridge, entries)

    def _mail(self, claimed: Sequence[ClaimedChange]) -> None:
        news = [each for each in claimed if self._is_mailed(each)]
        begun = {each.incident for each in news}
        ended = {each.incident for each in claimed if each.entry.change.kind == "ended"}
        over = [
            each.outcome
            for each in claimed
            if each.is_first_end and not each.silenced and each.incident not in begun
        ]
        if news:
            outcomes = [replace(each, over=each.incident in ended).outcome for each in news]
            self._publish(of_incidents(outcomes, self.place, over=begun <= ended))
        if over:
            self._publish(of_endings(over, self.place))

    def _publish(self, message: Notification) -> None:
        self.audience.sns.publish(TopicArn=self.audience.topic_arn, **message.to_request())

    def _is_mailed(self, claimed: ClaimedChange) -> bool:
        change = claimed.entry.change
        is_severe = is_at_least(change.event, self.audience.least_severity)
        return change.kind in ("began", "escalated") and is_severe and not claimed.silenced

    def _mark(self, claimed: ClaimedChange, channel: Channel) -> None:
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

    def _newest(self, claimed: ClaimedChange) -> IncidentClaim:
        """Return the claim as an earlier change of the same incident has left it."""
        change, now = claimed.entry.change, self.clock()
        return self.registry.claims.claim(
            claimed.detector, change.event, change.event.severity_word, LIVE, now
        )
