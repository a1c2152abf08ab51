"""Telling people and programs what a run found, each of them once however often the run is repeated."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from typing import TYPE_CHECKING

from cutwatch.errors import TRANSIENT, ClaimHeld, CutwatchError
from cutwatch.notifications import eventbridge
from cutwatch.notifications.messages import Notification, StackPlace, of_anomalies, of_failures
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.silences import Silence, in_force
from cutwatch.runs.summary import Summary

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient

_PAUSES_BEFORE_NOTING_AGAIN = (1, 4)
# Detectors whose events are put on the bus before that is noted: what a death in between doubles.
_NOTED_AT_ONCE = 50

_Tell = Callable[[Sequence[Outcome]], bool]


@dataclass(frozen=True)
class Audience:
    """Whom to tell: programs on the bus, people of anomalies, people of failures."""

    eventbridge: "EventBridgeClient"
    sns: "SNSClient"
    topic_arn: str
    operations_topic_arn: str


def announce(
    audience: Audience,
    registry: Registry,
    place: StackPlace,
    summary: Summary,
    execution: str,
    now: datetime,
    claimed_at: datetime,
) -> bool:
    """Tell what this run has not told yet, if there is anything; whether people were told.

    People come first, and what one of them or the bus cannot be told is raised when all others have been. Raises
    `ClaimHeld` while another execution of the run is telling: `claimed_at`, unlike `now`, has to be later at each retry,
    or the claim of one that died would never lapse.

    A repeated run tells only news, for example of a detector that failed at first. Training on demand says nothing
    itself: the transform that asked for it reports what failed. People are not told of silenced detectors' events;
    these count as told, so that the end of a silence brings no old news.
    """
    if summary.run.on_demand or not (summary.anomalous or summary.failed):
        return False
    told = registry.notifications.claim(summary.run.id, execution, claimed_at)
    if told is None:
        raise ClaimHeld(
            f"another execution is telling what {summary.run.id} found; what is news after it is told then"
        )
    silences = _silences(registry, summary, now)
    try:
        notified = _Announcement(audience, registry, place, summary, silences, told).make()
    except TRANSIENT:
        raise  # the state machine comes back with this claim
    except CutwatchError:
        registry.notifications.release(summary.run.id)
        raise
    registry.notifications.release(summary.run.id)
    return notified


@dataclass(frozen=True)
class _Announcement:
    audience: Audience
    registry: Registry
    place: StackPlace
    summary: Summary
    silences: Sequence[Silence]
    told: set[str]

    def make(self) -> bool:
        notified, errors = False, []
        for whom, outcomes, tell in self._channels():
            try:
                said = self._once(whom, outcomes, tell)
            except CutwatchError as error:
                errors.append(error)
            else:
                notified = notified or (said and whom == "people")
        if errors:
            raise next((error for error in errors if isinstance(error, TRANSIENT)), errors[0])
        return notified

    def _channels(self) -> Iterator[tuple[str, Sequence[Outcome], _Tell]]:
        found = self.summary.anomalous
        yield "people", found, self._tell_of_anomalies
        yield "people", self.summary.failed, self._tell_of_failures
        for first in range(0, len(found), _NOTED_AT_ONCE):
            yield "bus", found[first : first + _NOTED_AT_ONCE], self._put_on_bus

    def _put_on_bus(self, outcomes: Sequence[Outcome]) -> bool:
        entries = eventbridge.entries(outcomes, self.place, self.summary.run.id, self._silenced)
        eventbridge.put(self.audience.eventbridge, list(entries))
        return True

    def _tell_of_anomalies(self, outcomes: Sequence[Outcome]) -> bool:
        heard = [outcome for outcome in outcomes if outcome.detector not in self._silenced]
        if heard:
            text = of_anomalies(self.summary, heard, self.place, self.silences)
            self._send(self.audience.topic_arn, text)
        return bool(heard)

    def _tell_of_failures(self, outcomes: Sequence[Outcome]) -> bool:
        text = of_failures(self.summary, outcomes, self.place)
        self._send(self.audience.operations_topic_arn, text)
        return True

    @property
    def _silenced(self) -> set[str]:
        return {silence.detector for silence in self.silences}

    def _send(self, topic_arn: str, notification: Notification) -> None:
        self.audience.sns.publish(TopicArn=topic_arn, **notification.to_request())

    def _once(self, whom: str, outcomes: Sequence[Outcome], tell: _Tell) -> bool:
        """Tell what is news of these outcomes; what `tell` said, False without news."""
        news = [outcome for outcome in outcomes if _key(whom, outcome) not in self.told]
        if not news:
            return False
        said = tell(news)
        self.told.update(_key(whom, outcome) for outcome in news)
        self._note()
        return said

    def _note(self) -> None:
        """Try harder than elsewhere: if the function failed now, its retry would tell once more."""
        for pause in _PAUSES_BEFORE_NOTING_AGAIN:
            try:
                self.registry.notifications.mark(self.summary.run.id, self.told)
            except TRANSIENT:
                sleep(pause)
            else:
                return
        self.registry.notifications.mark(self.summary.run.id, self.told)


def _key(whom: str, outcome: Outcome) -> str:
    text = f"{whom}/{outcome.detector}/{outcome.status}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _silences(registry: Registry, summary: Summary, now: datetime) -> list[Silence]:
    """Those in force of the run's detectors."""
    names = {outcome.detector for outcome in summary.outcomes}
    return [each for each in in_force(registry.silences.all(), now) if each.detector in names]
