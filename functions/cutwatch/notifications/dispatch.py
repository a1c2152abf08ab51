"""Dispatch of a run's news to email and EventBridge, each item once, however often the run repeats."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep
from typing import TYPE_CHECKING

from cutwatch.detection.anomaly_event import Severity, is_at_least
from cutwatch.errors import TRANSIENT, ClaimHeld, CutwatchError
from cutwatch.notifications import eventbridge
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.messages import Notification, of_anomalies, of_failures, of_outages
from cutwatch.notifications.outages import outages
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.silences import Silence, in_force
from cutwatch.runs.summary import Summary

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient

_PAUSES_BEFORE_RECORDING_AGAIN = (1, 4)
# Detectors per record of published events: if the function dies in between, these are published twice.
_RECORDED_AT_ONCE = 50

_Notify = Callable[[Sequence[Outcome]], bool]


@dataclass(frozen=True)
class Audience:
    """Destinations: EventBridge for events, an SNS topic for anomalies, an SNS topic for failures.

    Anomalies below the `least_severity` are not mailed.
    """

    eventbridge: "EventBridgeClient"
    sns: "SNSClient"
    topic_arn: str
    operations_topic_arn: str
    least_severity: Severity = "low"


def announce(
    audience: Audience,
    registry: Registry,
    place: StackPlace,
    summary: Summary,
    execution: str,
    now: datetime,
    claimed_at: datetime,
) -> bool:
    """Notify the run's news, if there is any; return True if an email was sent.

    Emails come first. A channel's failure does not stop the others and is raised after them. Raises `ClaimHeld` while
    another execution of the run holds the notification lock. `claimed_at`, unlike `now`, must be later at each retry, or
    the lock of an execution that died would never expire.

    A repeated run notifies only what is new, for example a detector that failed the first time. A training on demand
    notifies nothing: the transform that started it reports its failures. Events of silenced detectors are not mailed but
    count as notified, so that they are not mailed when the silence ends.
    """
    if summary.run.on_demand or not (
        summary.anomalous or summary.failed or outages(summary.outcomes)
    ):
        return False
    notified = registry.notifications.claim(summary.run.id, execution, claimed_at)
    if notified is None:
        raise ClaimHeld(f"another execution of {summary.run.id} holds the notification lock")
    silences = _silences(registry, summary, now)
    try:
        mailed = _Announcement(audience, registry, place, summary, silences, notified).make()
    except TRANSIENT:
        raise  # the state machine retries with this lock
    except CutwatchError:
        registry.notifications.release(summary.run.id)
        raise
    registry.notifications.release(summary.run.id)
    return mailed


@dataclass(frozen=True)
class _Announcement:
    audience: Audience
    registry: Registry
    place: StackPlace
    summary: Summary
    silences: Sequence[Silence]
    notified: set[str]

    def make(self) -> bool:
        mailed, errors = False, []
        for channel, outcomes, notify in self._channels():
            try:
                sent = self._once(channel, outcomes, notify)
            except CutwatchError as error:
                errors.append(error)
            else:
                mailed = mailed or (sent and channel == "people")
        if errors:
            raise next((error for error in errors if isinstance(error, TRANSIENT)), errors[0])
        return mailed

    def _channels(self) -> Iterator[tuple[str, Sequence[Outcome], _Notify]]:
        found = self.summary.anomalous
        alone = [each for each in outages(self.summary.outcomes) if not each.events]
        yield "people", [*found, *alone], self._mail_metrics
        yield "people", self.summary.failed, self._mail_failures
        for first in range(0, len(found), _RECORDED_AT_ONCE):
            yield "bus", found[first : first + _RECORDED_AT_ONCE], self._put_on_bus

    def _put_on_bus(self, outcomes: Sequence[Outcome]) -> bool:
        entries = eventbridge.entries(outcomes, self.place, self.summary.run.id, self._silenced)
        eventbridge.put(self.audience.eventbridge, list(entries))
        return True

    def _mail_metrics(self, outcomes: Sequence[Outcome]) -> bool:
        """Send one message about the events that are severe enough; without any, about outages."""
        audible = [
            severe
            for outcome in outcomes
            if outcome.detector not in self._silenced and (severe := self._severe(outcome)).events
        ]
        silent = [each for each in outages(outcomes) if each.detector not in self._silenced]
        if audible:
            text = of_anomalies(self.summary, audible, self.place, self.silences, silent)
        elif silent:
            text = of_outages(self.summary, silent, self.place)
        else:
            return False
        self._send(self.audience.topic_arn, text)
        return True

    def _severe(self, outcome: Outcome) -> Outcome:
        """Return the outcome without the events that are not severe enough to be mailed."""
        least = self.audience.least_severity
        return replace(
            outcome, events=tuple(each for each in outcome.events if is_at_least(each, least))
        )

    def _mail_failures(self, outcomes: Sequence[Outcome]) -> bool:
        text = of_failures(self.summary, outcomes, self.place)
        self._send(self.audience.operations_topic_arn, text)
        return True

    @property
    def _silenced(self) -> set[str]:
        return {silence.detector for silence in self.silences}

    def _send(self, topic_arn: str, notification: Notification) -> None:
        self.audience.sns.publish(TopicArn=topic_arn, **notification.to_request())

    def _once(self, channel: str, outcomes: Sequence[Outcome], notify: _Notify) -> bool:
        """Notify and record the outcomes that are new to the channel; return the result of `notify`, or False."""
        new = [outcome for outcome in outcomes if _key(channel, outcome) not in self.notified]
        if not new:
            return False
        sent = notify(new)
        self.notified.update(_key(channel, outcome) for outcome in new)
        self._record()
        return sent

    def _record(self) -> None:
        """Record notified outcomes with extra retries: if this failed, the function's retry would notify twice."""
        for pause in _PAUSES_BEFORE_RECORDING_AGAIN:
            try:
                self.registry.notifications.mark(self.summary.run.id, self.notified)
            except TRANSIENT:
                sleep(pause)
            else:
                return
        self.registry.notifications.mark(self.summary.run.id, self.notified)


def _key(channel: str, outcome: Outcome) -> str:
    text = f"{channel}/{outcome.detector}/{outcome.status}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _silences(registry: Registry, summary: Summary, now: datetime) -> list[Silence]:
    """Return the active silences of the run's detectors."""
    names = {outcome.detector for outcome in summary.outcomes}
    return [each for each in in_force(registry.silences.all(), now) if each.detector in names]
