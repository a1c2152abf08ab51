from dataclasses import replace

import pytest

from cutwatch.detectors.stream import ForestSettings
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.key_bucket import KeyBucket
from cutwatch.streams.kinesis import Retention
from cutwatch.streams.notices import announce_configuration, expiry_notice
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.fakes import Fake
from tests.support.stream_state import FakeBucket
from tests.support.streams import a_record, a_stream

STREAM = a_stream()
DAY, HOUR = 86_400.0, 3_600.0
NOON = 1_793_620_800.0


def read_until(arrival: float) -> KeyBucket:
    bucket = KeyBucket.empty(STREAM, 0)
    bucket.move_on("shard-1", 7, arrival)
    return bucket


def first_at(arrival: float, lane: str = "shard-1") -> RawRecord:
    return RawRecord(b"{}", lane, 900, arrival)


def test_records_before_the_oldest_that_is_left_may_have_expired() -> None:
    notice = expiry_notice(read_until(NOON), first_at(NOON + 2 * HOUR), lambda _: True)

    assert notice is not None
    assert (notice.kind, notice.id) == ("records lost", "expired:shard-1:2026-11-02T14")
    assert (
        "shard-1 that arrived between 2026-11-02T12:00:00Z and 2026-11-02T14:00:00Z" in notice.text
    )


@pytest.mark.parametrize(
    ("lane", "gap", "expired"),
    [("shard-1", 2 * HOUR, False), ("shard-1", 30.0, True), ("shard-2", 2 * HOUR, True)],
    ids=["still kept", "no gap", "another shard"],
)
def test_nothing_is_announced_otherwise(lane: str, gap: float, *, expired: bool) -> None:
    assert expiry_notice(read_until(NOON), first_at(NOON + gap, lane), lambda _: expired) is None


def test_the_notice_is_committed_with_the_records_after_the_gap() -> None:
    delivered: list[str] = []

    def deliver(outbox: Outbox) -> None:
        delivered.extend(each.kind for each in outbox.notices)
        outbox.clear()

    store = StateStore(FakeBucket(), STREAM)
    scorer = BatchScorer(StreamScorer(STREAM), store, deliver, has_expired=lambda _: True)
    for n, arrival in enumerate((NOON, NOON + 30 * HOUR, NOON + 30 * HOUR + 1)):
        scorer.score([a_record(n, at=NOON, arrival=arrival)])
        scorer.score([a_record(n, at=NOON, arrival=arrival)])
    assert delivered == ["records lost"]


class CountingKinesis(Fake):
    def __init__(self, hours: int) -> None:
        self.hours, self.asked = hours, 0

    def describe_stream_summary(self, *, StreamARN: str) -> dict[str, dict[str, int]]:  # noqa: N803
        assert StreamARN == "arn"
        self.asked += 1
        return {"StreamDescriptionSummary": {"RetentionPeriodHours": self.hours}}


def test_a_stream_is_asked_for_its_retention_once_an_hour_and_only_for_old_records() -> None:
    kinesis, now = CountingKinesis(24), [NOON]
    retention = Retention(kinesis, "arn", lambda: now[0])

    assert not retention.has_expired(NOON - 23 * HOUR)
    assert kinesis.asked == 0
    assert [retention.has_expired(NOON - DAY) for _ in range(3)] == [True] * 3
    assert kinesis.asked == 1
    now[0] += 2 * HOUR
    kinesis.hours = 168
    assert not retention.has_expired(NOON - DAY)
    assert retention.has_expired(NOON + 2 * HOUR - 7 * DAY)


def test_another_configuration_is_announced_with_the_first_bucket() -> None:
    bucket = FakeBucket()
    StateStore(bucket, STREAM).buckets()
    changed = replace(STREAM, forest=ForestSettings(trees=6, sample_size=40))
    store = StateStore(bucket, changed)
    for _ in range(2):
        announce_configuration(store)
    [notice] = store.load(0).bucket.outbox.notices

    assert notice.kind == "configuration changed"
    assert changed.fingerprint in notice.text
    assert STREAM.fingerprint in notice.text


def test_the_first_configuration_is_not_announced() -> None:
    bucket = FakeBucket()
    announce_configuration(StateStore(bucket, STREAM))
    assert bucket.objects == {}
