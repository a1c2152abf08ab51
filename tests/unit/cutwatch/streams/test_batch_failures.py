from typing import Any

import pytest

from cutwatch.errors import AccessDenied, ServiceFault
from cutwatch.streams import outbox
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.buckets import bucket_of
from cutwatch.streams.detection import Detection
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.record import RawRecord, Reason
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.stream_state import FakeBucket, Inbox
from tests.support.streams import a_record, a_stream

STREAM = a_stream()
BUCKETS = 2
# A key of each bucket.
FIRST, SECOND = (next(key for key in "abcdef" if bucket_of(key, BUCKETS) == n) for n in range(2))


@pytest.fixture
def bucket() -> FakeBucket:
    return FakeBucket()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def batches(bucket: FakeBucket, inbox: Inbox) -> BatchScorer:
    return BatchScorer(StreamScorer(STREAM, BUCKETS), StateStore(bucket, STREAM), inbox.deliver)


def of_keys(*keys: str) -> list[RawRecord]:
    return [a_record(n, id=key)._replace(partition=key) for n, key in enumerate(keys)]


def test_a_bucket_that_cannot_be_written_does_not_stop_the_others(
    batches: BatchScorer, bucket: FakeBucket
) -> None:
    written: list[str] = []

    def refuse_the_first(point: str) -> None:
        if point == "write before":
            written.append(point)
            if len(written) == 1:
                raise AccessDenied("PutObject", "AccessDenied", "no")

    bucket.interrupt = refuse_the_first
    report = batches.score(of_keys(FIRST, SECOND, FIRST, SECOND))

    assert [record.position for record in report.failed] == [0, 2]
    assert [type(error) for error in report.errors] == [AccessDenied]
    assert report.total("accepted") == 2

    again = batches.score(of_keys(FIRST, SECOND, FIRST, SECOND))
    assert (again.total("accepted"), again.total("duplicates")) == (2, 2)
    assert not again.failed


def test_buckets_that_were_not_begun_in_time_come_again(batches: BatchScorer) -> None:
    answers = [True, False]
    report = batches.score(of_keys(FIRST, SECOND), lambda: answers.pop(0))

    assert [record.position for record in report.failed] == [1]
    assert report.errors == []


def test_a_defect_costs_one_record(
    batches: BatchScorer, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Detection.row

    def defective(self: Detection, state: Any, time: float, values: Any, origin: Any, *rest: Any) -> Any:  # fmt: skip
        if origin[1] == 3:
            raise ZeroDivisionError
        return row(self, state, time, values, origin, *rest)

    monkeypatch.setattr(Detection, "row", defective)
    report = batches.score(of_keys(*[FIRST] * 7))

    assert not report.failed
    assert report.total("accepted") == 6
    rejected = [each for result in report.results for each in result.rejected]
    assert [(each.reason, each.position) for each in rejected] == [(Reason.FAILED, 3)]
    assert rejected[0].detail == "a defect of Cutwatch: ZeroDivisionError"
    assert inbox.rejected == {("0", 3): 1}


def test_an_undelivered_outbox_does_not_fail_the_batch(bucket: FakeBucket, inbox: Inbox) -> None:
    def fault(_: Outbox) -> None:
        raise ServiceFault("Publish", "InternalError", "try again")

    store = StateStore(bucket, STREAM)
    report = BatchScorer(StreamScorer(STREAM), store, fault).score([RawRecord(b"?", "0", 0, 0)])
    assert not report.failed
    assert len(report.undelivered) == 1
    with pytest.raises(ServiceFault):
        report.raise_first()

    BatchScorer(StreamScorer(STREAM), store, inbox.deliver).score(of_keys("a", "b"))
    assert inbox.rejected == {("0", 0): 1}


def test_rows_that_a_target_never_takes_are_limited_and_the_scoring_goes_on(
    bucket: FakeBucket, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_ROWS", 3)
    store = StateStore(bucket, STREAM)

    def fault(_: Outbox) -> None:
        raise ServiceFault("SendMessageBatch", "NonExistentQueue", "there is no such queue")

    scorer = StreamScorer(STREAM, keeps_rows=True)
    for batch in range(4):
        records = [each._replace(position=each.position + 2 * batch) for each in of_keys("a", "a")]
        assert BatchScorer(scorer, store, fault).score(records).total("accepted") == 2
    BatchScorer(scorer, store, inbox.deliver).score(of_keys("a"))
    positions = [int(identity.rpartition(":")[2]) for identity, _ in inbox.rows]
    assert positions == [5, 6, 7]
    assert inbox.notices == {"rows lost": 1}


def test_a_warm_environment_reads_nothing_and_writes_once_per_bucket(
    batches: BatchScorer, bucket: FakeBucket
) -> None:
    batches.score(of_keys(FIRST, SECOND))
    bucket.calls.clear()
    records = [each._replace(position=each.position + 10) for each in of_keys(*[FIRST, SECOND] * 5)]
    batches.score(records)

    assert dict(bucket.calls) == {"write before": 2, "write after": 2}


def test_a_batch_that_was_applied_before_writes_nothing(
    batches: BatchScorer, bucket: FakeBucket
) -> None:
    batches.score(of_keys(FIRST))
    bucket.calls.clear()
    report = batches.score(of_keys(FIRST))

    assert report.total("duplicates") == 1
    assert not bucket.calls
