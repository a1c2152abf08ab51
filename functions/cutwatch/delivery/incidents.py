"""Notification of a stream's incidents by email and EventBridge, each change once in each channel."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import sleep
from typing import TYPE_CHECKING, Literal, get_args

from cutwatch.delivery.incident_event import entry
from cutwatch.delivery.incident_store import IncidentStore, RecordedIncident
from cutwatch.delivery.messages import of_incident
from cutwatch.detection.anomaly_event import SEVERITIES, Severity
from cutwatch.detectors.watched_table import RecordSource
from cutwatch.errors import TRANSIENT, CutwatchError
from cutwatch.notifications import eventbridge
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.registry.silence_store import SilenceStore
from cutwatch.registry.silences import in_force
from cutwatch.streams.incidents import Incident, IncidentChange
from cutwatch.streams.postprocessing import Postprocessor

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_sns import SNSClient

_PAUSES_BEFORE_MARKING_AGAIN = (1, 4)

Channel = Literal["people", "bus"]
# Errors of channels that failed in a delivery.
Failed = dict[Channel, CutwatchError]


@dataclass(frozen=True)
class IncidentNotifier:
    """Notifies the changes of the incidents of one stream or table.

    An incident is mailed once it is at least as severe as `least_severity`, again when it becomes more severe, and when it
    ends; at most `mails_per_hour` of the stream. EventBridge gets every change.
    """

    stream: RecordSource
    place: StackPlace
    eventbridge: "EventBridgeClient"
    sns: "SNSClient"
    topic_arn: str
    incidents: IncidentStore
    silences: SilenceStore
    least_severity: Severity = "low"
    postprocessor: Postprocessor | None = None

    def notify(self, change: IncidentChange, now: datetime) -> None:
        """Record a change and notify it, unless it was notified before; raises what a channel raised."""
        failed: Failed = {}
        self.notify_through(change, now, failed)
        for error in failed.values():
            raise error

    def notify_through(self, change: IncidentChange, now: datetime, failed: Failed) -> bool:
        """Notify a change through every channel that has not `failed`; return True if none is left.

        A channel that fails is added to `failed`: it does not stop the other one, and what it has not taken is left for the next delivery.
        """
        recorded, key = self.incidents.record(self.stream.name, change, now), _key(change)
        if key in recorded.notified:
            return True
        marks = {channel: f"{channel}:{key}" for channel in get_args(Channel)}
        done, mailed = set(recorded.notified), recorded.mailed
        for channel, send in self._channels(change, recorded, now).items():
            if channel not in failed and marks[channel] not in done:
                with _kept(failed, channel):
                    mailed |= send()
                    done.add(marks[channel])
        is_complete = done.issuperset(marks.values())
        notified = frozenset(done.difference(marks.values()) | {key} if is_complete else done)
        if notified != recorded.notified:
            self._mark(change.incident, notified, mailed=mailed)
        return is_complete

    def _channels(
        self, change: IncidentChange, recorded: RecordedIncident, now: datetime
    ) -> dict[Channel, Callable[[], bool]]:
        """Return how a change is sent through each channel; each returns True if it sent a mail."""
        silenced = self._is_silenced(now)
        is_mailed = not silenced and self._is_mailed(change, recorded)
        return {
            "people": lambda: is_mailed and self._mail(change, now),
            "bus": lambda: self._put(change, silenced=silenced),
        }

    def _put(self, change: IncidentChange, *, silenced: bool) -> bool:
        put = entry(self.stream.name, change, self.place, self.postprocessor, silenced=silenced)
        eventbridge.put(self.eventbridge, [put])
        return False

    def _mark(self, incident: Incident, notified: frozenset[str], *, mailed: bool) -> None:
        """Record with extra retries: if this failed, the change would be notified again."""
        for pause in _PAUSES_BEFORE_MARKING_AGAIN:
            try:
                self.incidents.mark(incident, notified, mailed=mailed)
            except TRANSIENT:
                sleep(pause)
            else:
                return
        self.incidents.mark(incident, notified, mailed=mailed)

    def _is_silenced(self, now: datetime) -> bool:
        return any(each.detector == self.stream.name for each in in_force(self.silences.all(), now))

    def _is_mailed(self, change: IncidentChange, recorded: RecordedIncident) -> bool:
        if change.kind == "ended":
            return recorded.mailed
        word = change.incident.severity_word
        return SEVERITIES.index(word) >= SEVERITIES.index(self.least_severity)

    def _mail(self, change: IncidentChange, now: datetime) -> bool:
        """Send the mail, unless this hour has had its mails; return True if it was sent."""
        number = self.incidents.count_mail(self.stream.name, now)
        if number > self.stream.mails_per_hour:
            return False
        is_last = number == self.stream.mails_per_hour
        message = of_incident(self.stream, change, self.place, is_last=is_last)
        try:
            self.sns.publish(TopicArn=self.topic_arn, **message.to_request())
        except CutwatchError:
            # Else the attempts of an outage would use up the mails of the hour.
            self.incidents.count_mail(self.stream.name, now, -1)
            raise
        return True


@contextmanager
def _kept(failed: Failed, channel: Channel) -> Iterator[None]:
    """Keep the error of a channel."""
    try:
        yield
    except CutwatchError as error:
        failed[channel] = error


def _key(change: IncidentChange) -> str:
    """Return the name of a change among those of its incident, which escalates to each severity once."""
    return f"{change.kind}:{change.incident.severity_word}"
