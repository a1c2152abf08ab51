"""One batch of a stream's records: each bucket is read, scored, committed and then delivered.

Whatever fails, and however often a batch or a part of it comes again, every record is applied once: the conditional write
commits positions, forests, incidents and outbox together.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import uniform
from time import sleep
from typing import Any

from cutwatch.errors import ConditionFailed, CutwatchError
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.endpoint_scores import EndpointScores
from cutwatch.streams.log_summary import summaries
from cutwatch.streams.notices import HasExpired, expiry_notice
from cutwatch.streams.outbox import Deliver
from cutwatch.streams.record import RawRecord, Reason, Rejected
from cutwatch.streams.scoring import Arrived, BatchResult, StreamScorer
from cutwatch.streams.state_store import StateStore, VersionedBucket

# Other execution environments may write the bucket between reading and writing it: those of the same shard for once,
# those of other shards all the time, where shards share a key. Pauses (seconds) spread them.
_ATTEMPTS = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
# Seconds between two batches of a bucket within which the later one empties the stored outbox, before the sweep delivers it.
_SOON = 10.0


@dataclass(slots=True)
class BatchReport:
    """Outcome of a batch: results of the buckets that were committed, and errors of those that were not.

    `failed` are records that must come again, in their order; `undelivered` are errors of deliveries that will be tried again.
    """

    results: list[BatchResult] = field(default_factory=list)
    failed: list[RawRecord] = field(default_factory=list)
    errors: list[CutwatchError] = field(default_factory=list)
    undelivered: list[CutwatchError] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Return the sum of a count over the buckets."""
        return sum(getattr(result, name) for result in self.results)

    def refused(self) -> list[CutwatchError]:
        """Return the errors of buckets that were not committed, without those of races that were lost."""
        return [error for error in self.errors if not isinstance(error, ConditionFailed)]

    def raise_first(self) -> None:
        """Raise the first error, if there is one."""
        for error in (*self.errors, *self.undelivered):
            raise error

    def rows(self) -> Iterator[ScoredRow]:
        """Yield the scored rows of all buckets."""
        for result in self.results:
            yield from result.rows


@dataclass(frozen=True)
class BatchScorer:
    """Scores batches of a stream.

    `deliver` empties an outbox; `keeps_summaries` puts what a log's hourly report needs into it.
    `has_expired` returns True if records of a time have left the stream. `has_time` returns False once the invocation must end; buckets that
    were not begun by then come again. `endpoint` is asked for the scores, where the stream has one.
    """

    scorer: StreamScorer
    store: StateStore
    deliver: Deliver
    has_expired: HasExpired = lambda _: False
    keeps_summaries: bool = False
    endpoint: EndpointScores | None = None

    def score(
        self, records: Sequence[RawRecord], has_time: Callable[[], bool] = lambda: True
    ) -> BatchReport:
        """Score a batch. Errors of one bucket do not stop the others."""
        report = BatchReport()
        if self.endpoint is not None:
            self.endpoint.has_time = has_time
        divided: Mapping[int, Sequence[Arrived]] = self.scorer.by_bucket(records)
        for number, arrived in divided.items():
            if not has_time():
                report.failed += [each.raw for each in arrived]
                continue
            try:
                self._score_bucket(number, arrived, report)
            except CutwatchError as error:
                report.errors.append(error)
                report.failed += [each.raw for each in arrived]
        return report

    def _score_bucket(self, number: int, arrived: Sequence[Arrived], report: BatchReport) -> None:
        try:
            taken, result = self._commit(number, arrived)
        except CutwatchError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the defect, it costs one record
            self._isolate(number, arrived, report, error)
            return
        report.results.append(result)
        had_rows = bool(taken.bucket.outbox.rows)
        pause = self.store.note_batch(number, arrived[-1].raw.arrival)
        try:
            self.deliver(taken.bucket.outbox)
        except CutwatchError as undelivered:
            report.undelivered.append(undelivered)
            return
        if had_rows and pause >= _SOON:
            self._store_emptied(taken)

    def _store_emptied(self, taken: VersionedBucket) -> None:
        """Write a bucket without the rows that were delivered: the sweep would send them again, and a target takes them twice."""
        try:
            self.store.save(taken)
        except CutwatchError:
            self.store.forget(taken.number)

    def _isolate(
        self, number: int, arrived: Sequence[Arrived], report: BatchReport, error: Exception
    ) -> None:
        """Find the record that cannot be scored and reject it: a defect of the code costs one record, not a shard."""
        if len(arrived) > 1:
            middle = len(arrived) // 2
            for half in (arrived[:middle], arrived[middle:]):
                self._score_bucket(number, half, report)
            return
        [(contents, raw)] = arrived
        if all(isinstance(each, Rejected) for each in contents):
            raise error
        detail = f"a defect of Cutwatch: {type(error).__name__}"
        rejected = Rejected(Reason.FAILED, detail, raw.lane, raw.position)
        self._score_bucket(number, [Arrived((rejected,), raw)], report)

    def _commit(
        self, number: int, arrived: Sequence[Arrived]
    ) -> tuple[VersionedBucket, BatchResult]:
        """Apply records to a bucket and write it; after a lost race, apply them to the bucket that the winner wrote."""
        for lost in range(_ATTEMPTS - 1):
            with suppress(ConditionFailed):
                return self._apply(number, arrived)
            sleep(uniform(0, min(_FIRST_PAUSE * 2**lost, _LONGEST_PAUSE)))  # noqa: S311 - spreads the rivals
        return self._apply(number, arrived)

    def _apply(
        self, number: int, arrived: Sequence[Arrived]
    ) -> tuple[VersionedBucket, BatchResult]:
        taken = self.store.take(number)
        before = dict(taken.bucket.applied) if self.keeps_summaries else {}
        taken.bucket.outbox.forget_old_rows(arrived[-1].raw.arrival)
        notice = expiry_notice(taken.bucket, arrived[0].raw, self.has_expired)
        if self.endpoint is not None:
            self.endpoint.fetch(self.scorer, taken.bucket, arrived)
        result = self.scorer.score(taken.bucket, arrived)
        if result.duplicates == result.read:
            self.store.keep(taken)
            return taken, result
        if self.keeps_summaries:
            positions = {lane: position for lane, (position, _) in before.items()}
            taken.bucket.outbox.summaries += batch_summaries(self.scorer, number, positions, result)
        taken.bucket.outbox.notices += [notice] if notice else []
        self.store.save(taken)
        return taken, result


def batch_summaries(
    scorer: StreamScorer, number: int, positions: Mapping[str, int], result: BatchResult
) -> list[dict[str, Any]]:
    """Return the summaries of a bucket's log events by hour; none for other records. Equal positions make equal ids."""
    trained = scorer.trained
    if trained is None or trained.features is None:
        return []
    rejected = zip(result.rejected, result.rejected_arrivals, strict=True)
    name, late = scorer.stream.name, result.late_arrivals
    # Another configuration begins with the same positions, none, maybe in the same hour.
    state = f"{scorer.stream.fingerprint}/{number}"
    return summaries(
        name, state, positions, result.rows, result.events, rejected, late, trained.features
    )
