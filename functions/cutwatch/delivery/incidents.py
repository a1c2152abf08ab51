"""Notification of a stream's incidents by email and EventBridge, each change once."""

from dataclasses import dataclass
from datetime import datetime
from time import sleep
from typing import TYPE_CHECKING

from cutwatch.delivery.incident_event import entry
from cutwatch.delivery.incident_store import IncidentStore, RecordedIncident
from cutwatch.delivery.messages import of_incident
from cutwatch.detection.anomaly_event import SEVERITIES, Severity
from cutwatch.detectors.stream import Stream
from cutwatch.errors import TRANSIENT
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


@dataclass(frozen=True)
class IncidentNotifier:
    """Notifies the changes of one stream's incidents.

    An incident is mailed once it is at least as severe as `least_severity`, again when it becomes more severe, and when it
    ends; at most `mails_per_hour` of the stream. EventBridge gets every change.
    """

    stream: Stream
    place: StackPlace
    eventbridge: "EventBridgeClient"
    sns: "SNSClient"
    topic_arn: str
    incidents: IncidentStore
    silences: SilenceStore
    least_severity: Severity = "low"
    postprocessor: Postprocessor | None = None

    def notify(self, change: IncidentChange, now: datetime) -> None:
        """Record a change and notify it, unless it was notified before."""
        recorded = self.incidents.record(self.stream.name, change, now)
        key = _key(change)
        if key in recorded.notified:
            return
        silenced = self._is_silenced(now)
        put = entry(self.stream.name, change, self.place, self.postprocessor, silenced=silenced)
        eventbridge.put(self.eventbridge, [put])
        mailed = not silenced and self._is_mailed(change, recorded) and self._mail(change, now)
        self._mark(change.incident, recorded.notified | {key}, mailed=mailed or recorded.mailed)

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
        self.sns.publish(TopicArn=self.topic_arn, **message.to_request())
        return True


def _key(change: IncidentChange) -> str:
    """Return the name of a change among those of its incident, which escalates to each severity once."""
    return f"{change.kind}:{change.incident.severity_word}"
