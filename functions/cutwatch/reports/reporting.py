"""Draining of the queue of summaries into reports: a report is written before its messages are deleted."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import ConditionFailed, CutwatchError, MalformedObject, NotFound
from cutwatch.observability import logger
from cutwatch.reports.explanations import explanations
from cutwatch.reports.hour_csv import to_csv
from cutwatch.reports.hour_page import to_html
from cutwatch.reports.hour_report import HourReport, by_hour, report_key
from cutwatch.reports.trends import DAYS, Trend, trends

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_DAY = 86_400
# Messages that are in memory at once; reports are written, and their messages deleted, before more are received.
_MOST_MESSAGES = 2_000
_RECEIVED_AT_ONCE = 10
# A queue answers from every one of its servers only to those who wait.
_WAIT_SECONDS = 1
_ATTEMPTS = 5
_FIELDS = ("id", "hour", "minutes", "paths", "levels", "rejected", "late", "reasons", "anomalies")


@dataclass
class Drained:
    """Counts of a run: summaries that were new or known already, messages that are not summaries, reports that were written."""

    added: int = 0
    known: int = 0
    malformed: int = 0
    reports: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class HourReporter:
    """Writes the reports of one stream from the queue at `url`."""

    stream: str
    bucket: Bucket
    sqs: "SQSClient"
    url: str

    def run(self, has_time: Callable[[], bool]) -> Drained:
        """Drain the queue, until it is empty or the time is over. A crash at any point loses no summary and counts none twice."""
        drained = Drained()
        while has_time():
            messages = self._receive(has_time)
            if not messages:
                break
            self._write(messages, drained)
        return drained

    def _receive(self, has_time: Callable[[], bool]) -> dict[str, str]:
        """Return bodies by receipt handle."""
        messages: dict[str, str] = {}
        while len(messages) < _MOST_MESSAGES and has_time():
            answer = self.sqs.receive_message(
                QueueUrl=self.url,
                MaxNumberOfMessages=_RECEIVED_AT_ONCE,
                WaitTimeSeconds=_WAIT_SECONDS,
            )
            received = answer.get("Messages", [])
            if not received:
                break
            messages |= {each["ReceiptHandle"]: each["Body"] for each in received}
        return messages

    def _write(self, messages: Mapping[str, str], drained: Drained) -> None:
        read = {handle: _summary(body) for handle, body in messages.items()}
        for hour, summaries in by_hour(each for each in read.values() if each).items():
            self._write_hour(hour, summaries, drained)
        drained.malformed += sum(each is None for each in read.values())
        # The others go to the queue's dead letters after some receptions.
        self._delete([handle for handle, summary in read.items() if summary is not None])

    def _write_hour(
        self, hour: int, summaries: Sequence[Mapping[str, Any]], drained: Drained
    ) -> None:
        before = self._before(hour)
        for attempt in range(1, _ATTEMPTS + 1):
            report, etag = self._stored(hour)
            added = sum(report.add(each) for each in summaries)
            known = trends(report, before)
            try:
                if added:
                    self._put(report, etag, known)
                break
            except ConditionFailed:
                if attempt == _ATTEMPTS:
                    raise
        drained.added += added
        drained.known += len(summaries) - added
        # Written again in any case: a run may have ended between the report and its pages.
        self._put_pages(report, known)
        drained.reports.add(report_key(self.stream, hour))

    def _stored(self, hour: int) -> tuple[HourReport, str | None]:
        key = report_key(self.stream, hour)
        try:
            content, etag = self.bucket.read_with_etag(key)
        except NotFound:
            return HourReport(self.stream, hour), None
        try:
            return HourReport.from_payload(json.loads(content)), etag
        except ValueError as error:
            raise MalformedObject(f"{self.bucket.uri(key)}: {error}") from None

    def _put(self, report: HourReport, etag: str | None, known: Sequence[Trend]) -> None:
        described = report.to_payload() | {
            "trends": {each.name: each.to_payload() for each in known},
            "explanations": [each._asdict() for each in explanations(report)],
        }
        content = json.dumps(described, indent=1).encode()
        self.bucket.put_if(report_key(self.stream, report.hour), content, etag)

    def _put_pages(self, report: HourReport, known: Sequence[Trend]) -> None:
        for ending, text in (("html", to_html(report, known)), ("csv", to_csv(report))):
            key = report_key(self.stream, report.hour, ending)
            self.bucket.write_page(key, text, f"text/{ending}")

    def _before(self, hour: int) -> list[HourReport]:
        """Return the reports of the same hour of the days before, of those that there are."""
        found = []
        for day in range(1, DAYS + 1):
            try:
                report, etag = self._stored(hour - day * _DAY)
            except CutwatchError as error:
                logger.warning("no trend", reason=f"{type(error).__name__}: {error}")
                continue
            if etag is not None:
                found.append(report)
        return found

    def _delete(self, handles: Sequence[str]) -> None:
        """Delete messages. Those that cannot be deleted come again and are known by then."""
        for start in range(0, len(handles), _RECEIVED_AT_ONCE):
            chunk = handles[start : start + _RECEIVED_AT_ONCE]
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": handle} for number, handle in enumerate(chunk)
            ]
            self.sqs.delete_message_batch(QueueUrl=self.url, Entries=entries)


def _summary(body: str) -> Mapping[str, Any] | None:
    """Return the summary of a message; None if it is not one."""
    try:
        content: Any = json.loads(body)
    except ValueError:
        content = None
    if isinstance(content, dict) and all(name in content for name in _FIELDS):
        return content
    logger.error("not a summary", bytes=len(body))
    return None
