"""Delivery of a bucket's outbox, from which each part is removed once it has arrived."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, get_args

from cutwatch.aws.limits import PUT_RECORDS_MAX_RECORDS, SQS_MESSAGE_MAX_BYTES
from cutwatch.delivery.incidents import Channel, Failed, IncidentNotifier
from cutwatch.delivery.messages import of_notice
from cutwatch.delivery.queues import RowTarget, send_messages
from cutwatch.errors import CutwatchError
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.record import DeadLetter

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

# Base64 takes four bytes for three; the rest of a letter is small.
_MOST_DATA = (SQS_MESSAGE_MAX_BYTES - 8_192) * 3 // 4


@dataclass(frozen=True)
class OutboxDelivery:
    """Delivers incidents, notices, rejected records, scored rows and summaries of one stream.

    All of it is delivered at least once: after a crash, with the same ids again.
    """

    stream: str
    notifier: IncidentNotifier
    sns: "SNSClient"
    operations_topic_arn: str
    sqs: "SQSClient"
    rejected_records_url: str
    target: RowTarget | None
    clock: Callable[[], datetime]
    results_url: str = ""

    def __call__(self, outbox: Outbox) -> None:
        """Empty an outbox. What one destination does not take stays, and does not stop the others; raises its error."""
        errors: list[CutwatchError] = []
        parts = (self._changes, self._notices, self._rejected, self._rows, self._summaries)
        for deliver in parts:
            try:
                deliver(outbox)
            except CutwatchError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def _changes(self, outbox: Outbox) -> None:
        failed: Failed = {}
        place = 0
        while place < len(outbox.changes) and len(failed) < len(get_args(Channel)):
            if self.notifier.notify_through(outbox.changes[place], self.clock(), failed):
                del outbox.changes[place]
            else:
                place += 1
        for error in failed.values():
            raise error

    def _notices(self, outbox: Outbox) -> None:
        while outbox.notices:
            notice, incidents = outbox.notices[0], self.notifier.incidents
            if not incidents.is_announced(self.stream, notice.id):
                message = of_notice(self.stream, notice)
                self.sns.publish(TopicArn=self.operations_topic_arn, **message.to_request())
                incidents.mark_announced(self.stream, notice.id, self.clock())
            del outbox.notices[0]

    def _rejected(self, outbox: Outbox) -> None:
        messages = [self._letter(each) for each in outbox.rejected]
        send_messages(self.sqs, self.rejected_records_url, messages)
        outbox.rejected.clear()

    def _rows(self, outbox: Outbox) -> None:
        """Deliver rows in parts: what a target takes must not come again because it throttles the rest."""
        while self.target is not None and outbox.rows:
            self.target.put(outbox.rows[:PUT_RECORDS_MAX_RECORDS])
            del outbox.rows[:PUT_RECORDS_MAX_RECORDS]
        outbox.rows.clear()

    def _summaries(self, outbox: Outbox) -> None:
        if self.results_url:
            messages = [{"MessageBody": json.dumps(each)} for each in outbox.summaries]
            send_messages(self.sqs, self.results_url, messages)
        outbox.summaries.clear()

    def _letter(self, letter: DeadLetter) -> dict[str, Any]:
        """Return the message of a rejected record; the queue drops one that comes twice within five minutes."""
        rejected, raw = letter
        identity = hashlib.sha256(f"{self.stream}:{raw.lane}:{raw.position}".encode()).hexdigest()
        arrived = datetime.fromtimestamp(raw.arrival, UTC)
        body: dict[str, Any] = {
            "stream": self.stream,
            "reason": rejected.reason,
            "detail": rejected.detail,
            "shard": raw.lane,
            "sequence_number": str(raw.position),
            "partition_key": raw.partition,
            "arrived": arrived.isoformat().replace("+00:00", "Z"),
            "bytes": len(raw.data),
        }
        if raw.headers:
            body["headers"] = dict(raw.headers)
        if len(raw.data) <= _MOST_DATA:
            body["data"] = b64encode(raw.data).decode()
        return {
            "MessageBody": json.dumps(body),
            "MessageGroupId": hashlib.sha256(raw.lane.encode()).hexdigest(),
            "MessageDeduplicationId": identity,
        }
