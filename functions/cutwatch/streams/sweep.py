"""The minute's sweep over a stream's stored buckets: silent keys are closed, and outboxes emptied that nobody emptied.

It writes as the scoring function does, on condition; if that was faster, the sweep leaves the bucket to the next minute.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cutwatch.errors import ConditionFailed, CutwatchError, MalformedState, NewerState
from cutwatch.streams.batch import BatchReport, batch_summaries
from cutwatch.streams.key_bucket import BucketHeader, KeyBucket
from cutwatch.streams.outbox import Deliver
from cutwatch.streams.scoring import BatchResult, StreamScorer
from cutwatch.streams.state_store import StateStore, StoredBucket

# The function that wrote a bucket delivers its outbox within this time, if it lives.
_DELIVERED_BY_ITS_WRITER = timedelta(seconds=20)

# Returns True if no shard has records after these positions.
IsReadToTheEnd = Callable[[Mapping[str, int]], bool]


@dataclass
class Sweep:
    """Sweeps one stream; `headers` are those of buckets that are still as they were when they were read, by number.

    `keeps_summaries` puts what a log's hourly report needs of closed windows into the outbox.
    """

    scorer: StreamScorer
    store: StateStore
    deliver: Deliver
    is_read_to_the_end: IsReadToTheEnd
    headers: dict[int, tuple[str, BucketHeader]] = field(default_factory=dict)
    keeps_summaries: bool = False

    def run(self, now: datetime, has_time: Callable[[], bool] = lambda: True) -> BatchReport:
        """Sweep every bucket. Errors of one do not stop the others.

        Windows are closed only when every record that has arrived was read: records that wait in the stream would
        be late. Headers that were read are kept, so a sweep that ends early lets the next one go on.
        """
        report = BatchReport()
        found = [
            (each, header)
            for each in self.store.stored()
            if has_time() and (header := self._header(each, report)) is not None
        ]
        due = [each for each, header in found if header.due <= now.timestamp()]
        may_close = bool(due) and self._may_close(found, report)
        for each, header in found:
            left = header.has_outbox and now - each.modified > _DELIVERED_BY_ITS_WRITER
            if has_time() and (left or (may_close and each in due)):
                self._sweep(each.number, now if may_close else None, report)
        return report

    def _may_close(
        self, found: Sequence[tuple[StoredBucket, BucketHeader]], report: BatchReport
    ) -> bool:
        """Return True if no record waits. Outboxes are delivered even if that is not known."""
        try:
            return self.is_read_to_the_end(_applied(header for _, header in found))
        except CutwatchError as error:
            report.errors.append(error)
            return False

    def _header(self, stored: StoredBucket, report: BatchReport) -> BucketHeader | None:
        """Return a bucket's header; None, after a report, if it cannot be read. A damaged bucket is replaced."""
        etag, header = self.headers.get(stored.number, ("", None))
        if header is not None and etag == stored.etag:
            return header
        try:
            header = self.store.header(stored.number)
        except CutwatchError as error:
            if isinstance(error, MalformedState) and not isinstance(error, NewerState):
                self._sweep(stored.number, None, report)
            else:
                report.errors.append(error)
            return None
        self.headers[stored.number] = (stored.etag, header)
        return header

    def _sweep(self, number: int, now: datetime | None, report: BatchReport) -> None:
        """Close what is due, if `now` is given, and deliver what is in the outbox."""
        try:
            taken = self.store.load(number)
            if now is not None:
                result = self._close(taken.bucket, now)
                self.store.save(taken)
                report.results.append(result)
            elif not taken.size:
                # It was damaged, and begins from scratch.
                self.store.save(taken)
            if taken.bucket.outbox:
                self.deliver(taken.bucket.outbox)
                self.store.save(taken)
        except ConditionFailed:
            return
        except CutwatchError as error:
            report.undelivered.append(error)
        finally:
            self.store.forget(number)

    def _close(self, bucket: KeyBucket, now: datetime) -> BatchResult:
        result = self.scorer.close_silent(bucket, now.timestamp())
        if self.keeps_summaries:
            # The positions did not move: the time tells this summary from that of the next batch.
            positions = {"(sweep)": int(now.timestamp())}
            summaries = batch_summaries(self.scorer, bucket.number, positions, result)
            bucket.outbox.summaries += summaries
        return result


def _applied(headers: Iterable[BucketHeader]) -> dict[str, int]:
    """Return the last position of each lane that any bucket applied."""
    applied: dict[str, int] = {}
    for header in headers:
        for lane, position in header.applied.items():
            applied[lane] = max(position, applied.get(lane, position))
    return applied
