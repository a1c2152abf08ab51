from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cutwatch.detectors.stream import IncidentBegin, Stream
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.errors import ConditionFailed, NewerState, ServiceFault
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.buckets import bucket_of
from cutwatch.streams.incidents import Anomaly, begin
from cutwatch.streams.key_bucket import SCHEMA
from cutwatch.streams.outbox import Outbox
from cutwatch.streams.record import RawRecord
from cutwatch.streams.scoring import SILENT_SECONDS, StreamScorer
from cutwatch.streams.state_store import StateStore
from cutwatch.streams.sweep import Sweep
from tests.support.stream_state import FakeBucket, Inbox
from tests.support.streams import START, a_record, a_stream, noise

WINDOWED = a_stream(window=StreamWindow("tumbling", 60, ("count",), allowed_lateness=30))
# Two keys of one bucket whose event times are an hour behind the clock.
BEHIND = 3_600
FIRST = START // 60 * 60


def record(position: int, at: float, x: float = 1.0, key: str = "a") -> RawRecord:
    return a_record(position, at=at, x=x, id=key, arrival=at + BEHIND)


def at(seconds: float) -> datetime:
    """Return the time on the clock at a number of seconds after the first event time."""
    return datetime.fromtimestamp(FIRST + seconds + BEHIND, UTC)


@dataclass
class Shop:
    """A stream with one bucket, its scorer, and its sweep."""

    stream: Stream
    waiting: bool = False
    bucket: FakeBucket = field(default_factory=FakeBucket)
    inbox: Inbox = field(default_factory=Inbox)
    asked: list[Mapping[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        scorer = StreamScorer(self.stream, keeps_rows=True)
        store = StateStore(self.bucket, self.stream)
        self.batches = BatchScorer(scorer, store, self.inbox.deliver)
        self.sweep = Sweep(scorer, StateStore(self.bucket, self.stream), self.inbox.deliver, self.is_read)  # fmt: skip

    def is_read(self, applied: Mapping[str, int]) -> bool:
        self.asked.append(applied)
        return not self.waiting

    def score(self, records: list[RawRecord], now: datetime) -> None:
        self.bucket.now = now
        assert not self.batches.score(records).failed

    def rows_at(self, now: datetime) -> list[tuple[str, float, tuple[float, ...]]]:
        self.bucket.now = now
        report = self.sweep.run(now)
        return [(row.key, row.time, row.values) for row in report.rows()]


def test_the_windows_of_a_silent_key_are_closed_when_its_event_time_would_have_passed_them() -> (
    None
):
    shop = Shop(WINDOWED)
    shop.score([record(0, FIRST + 10), record(1, FIRST + 20)], at(20))

    assert shop.rows_at(at(89)) == []
    assert shop.rows_at(at(90)) == [("a", FIRST, (2.0,))]
    assert shop.rows_at(at(150)) == []


def test_a_record_of_a_window_that_silence_closed_is_late() -> None:
    shop = Shop(WINDOWED)
    shop.score([record(0, FIRST + 10)], at(10))
    shop.rows_at(at(200))
    report = shop.batches.score([record(1, FIRST + 59), record(2, FIRST + 60)])

    assert (report.total("late"), report.total("accepted")) == (1, 1)


def test_a_window_that_silence_closed_is_sent_to_the_target() -> None:
    shop = Shop(WINDOWED)
    shop.score([record(0, FIRST + 10), record(1, FIRST + 20)], at(20))
    assert shop.inbox.rows == {}
    shop.rows_at(at(90))
    [(identifier, _)] = shop.inbox.rows
    assert identifier.startswith(f"{WINDOWED.name}:a:")


def test_no_window_is_closed_while_records_wait_in_the_stream() -> None:
    shop = Shop(WINDOWED, waiting=True)
    shop.score([record(7, FIRST + 10)], at(10))

    assert shop.rows_at(at(500)) == []
    assert shop.asked == [{"0": 7}]
    shop.waiting = False
    assert shop.rows_at(at(560)) == [("a", FIRST, (1.0,))]


def test_kinesis_is_not_asked_while_nothing_is_due() -> None:
    shop = Shop(WINDOWED)
    shop.score([record(0, FIRST + 10)], at(10))
    shop.rows_at(at(60))
    assert shop.asked == []


def test_the_incident_of_a_silent_key_ends() -> None:
    shop = Shop(a_stream())
    values = [*noise(80), 90.0]
    shop.score([record(n, FIRST + n, x) for n, x in enumerate(values)], at(80))
    assert [change for _, change in shop.inbox.changes] == ["began:high"]

    shop.rows_at(at(80 + SILENT_SECONDS - 1))
    assert len(shop.inbox.changes) == 1
    shop.rows_at(at(80 + SILENT_SECONDS))
    assert [change for _, change in shop.inbox.changes] == ["began:high", "ended:high"]


def test_the_incident_of_a_silent_key_does_not_end_before_the_declared_time() -> None:
    shop = Shop(a_stream(notify=IncidentBegin(ends_after=2 * SILENT_SECONDS)))
    values = [*noise(80), 90.0]
    shop.score([record(n, FIRST + n, x) for n, x in enumerate(values)], at(80))

    shop.rows_at(at(80 + 2 * SILENT_SECONDS - 1))
    assert len(shop.inbox.changes) == 1
    shop.rows_at(at(80 + 2 * SILENT_SECONDS))
    assert [change for _, change in shop.inbox.changes] == ["began:high", "ended:high"]


def test_an_outbox_that_its_writer_left_is_delivered_and_emptied() -> None:
    shop = Shop(a_stream())

    def fault(_: Outbox) -> None:
        raise ServiceFault("Publish", "InternalError", "try again")

    broken = BatchScorer(shop.batches.scorer, shop.batches.store, fault)
    shop.bucket.now = at(0)
    assert broken.score([RawRecord(b"rubbish", "0", 0, FIRST)]).undelivered
    shop.rows_at(at(10))
    assert not shop.inbox.rejected, "its writer may still deliver it"
    shop.rows_at(at(60))
    assert shop.inbox.rejected == {("0", 0): 1}
    writes = shop.bucket.writes
    shop.rows_at(at(120))
    assert (shop.inbox.rejected.total(), shop.bucket.writes) == (1, writes)


def test_rows_that_a_rare_batch_delivered_are_not_delivered_again() -> None:
    shop = Shop(a_stream())
    for minute in range(3):
        shop.score([record(minute, FIRST + 60 * minute)], at(60 * minute))
        assert shop.rows_at(at(60 * minute + 30)) == []
    assert [*shop.inbox.rows.values()] == [1, 1, 1]


def test_the_next_of_frequent_batches_empties_the_outbox_without_a_write_of_its_own() -> None:
    shop = Shop(a_stream())
    shop.score([record(0, FIRST)], at(0))
    writes = shop.bucket.writes
    for second in range(1, 6):
        shop.score([record(second, FIRST + second)], at(second))
    assert shop.bucket.writes == writes + 5


def test_a_lost_race_for_the_outbox_of_a_rare_batch_leaves_it_to_the_sweep() -> None:
    shop = Shop(a_stream())
    writes: list[str] = []

    def rival(call: str) -> None:
        writes.append(call)
        if call == "write before" and writes.count(call) == 2:
            raise ConditionFailed("PutObject", "PreconditionFailed", "written meanwhile")

    shop.bucket.interrupt = rival
    shop.score([record(0, FIRST)], at(0))
    shop.score([record(1, FIRST + 60)], at(60))
    [bucket] = [StateStore(shop.bucket, shop.stream).load(0).bucket]
    assert (bucket.position("0"), bucket.totals.accepted) == (1, 2)


def test_an_outbox_that_nobody_takes_stays_and_is_reported() -> None:
    shop = Shop(a_stream())

    def fault(_: Outbox) -> None:
        raise ServiceFault("Publish", "InternalError", "try again")

    broken = BatchScorer(shop.batches.scorer, shop.batches.store, fault)
    shop.bucket.now = at(0)
    broken.score([RawRecord(b"rubbish", "0", 0, FIRST)])
    shop.sweep.deliver = fault
    for minute in (1, 2):
        assert len(shop.sweep.run(at(60 * minute)).undelivered) == 1
    shop.sweep.deliver = shop.inbox.deliver
    shop.sweep.run(at(180))
    assert shop.inbox.rejected == {("0", 0): 1}


def test_a_sweep_that_loses_a_race_leaves_the_bucket_to_the_winner() -> None:
    shop = Shop(WINDOWED)
    shop.score([record(0, FIRST + 10)], at(10))

    def winner(point: str) -> None:
        shop.bucket.interrupt = lambda _: None
        assert point == "write before"
        shop.score([record(1, FIRST + 70), record(2, FIRST + 200)], at(200))

    shop.bucket.now = at(200)
    header_read = shop.sweep.store.header
    shop.sweep.headers[0] = (shop.sweep.store.stored()[0].etag, header_read(0))
    calls: list[str] = []

    def interrupt(point: str) -> None:
        calls.append(point)
        if point == "write before":
            winner(point)

    shop.bucket.interrupt = interrupt
    report = shop.sweep.run(at(200))

    assert report.results == []
    assert not report.undelivered
    [bucket] = [StateStore(shop.bucket, WINDOWED).load(0).bucket]
    assert (bucket.position("0"), bucket.totals.late) == (2, 0)


def test_headers_of_unchanged_buckets_are_not_read_again() -> None:
    shop = Shop(WINDOWED)
    shop.score([record(0, FIRST + 10)], at(10))
    shop.rows_at(at(15))
    reads = shop.bucket.calls["read before"]
    shop.rows_at(at(30) + timedelta(seconds=1))
    assert shop.bucket.calls["read before"] == reads


def test_what_a_sweep_cannot_ask_for_does_not_keep_outboxes() -> None:
    shop = Shop(WINDOWED)

    def fault(_: Outbox) -> None:
        raise ServiceFault("Publish", "InternalError", "try again")

    def unknown(_: Mapping[str, int]) -> bool:
        raise ServiceFault("GetMetricData", "InternalError", "try again")

    broken = BatchScorer(shop.batches.scorer, shop.batches.store, fault)
    shop.bucket.now = at(0)
    broken.score([record(0, FIRST + 10), RawRecord(b"rubbish", "0", 1, FIRST)])
    shop.sweep.is_read_to_the_end = unknown
    report = shop.sweep.run(at(500))
    assert [str(each) for each in report.errors] == ["GetMetricData: try again (InternalError)"]
    assert shop.inbox.rejected == {("0", 1): 1}


def divided_shop() -> tuple[Shop, str, str]:
    """Return a shop with two buckets, the object of the key "a" and that of another key."""
    shop = Shop(WINDOWED)
    for scorer in (shop.batches.scorer, shop.sweep.scorer):
        scorer.buckets = 2
    mine = bucket_of("a", 2)
    other = next(name for name in "bcdefgh" if bucket_of(name, 2) != mine)
    shop.bucket.put_if(f"{shop.batches.store.prefix}layout.json", b'{"schema": 1, "buckets": 2}', None)  # fmt: skip
    for position, name in enumerate(("a", other)):
        shop.score([record(position, FIRST + 10, key=name)], at(10))
    return shop, shop.batches.store.key(mine), shop.batches.store.key(1 - mine)


def test_a_sweep_without_time_for_every_header_is_continued_by_the_next_one() -> None:
    shop, *_ = divided_shop()
    left = [True, False]
    assert not shop.sweep.run(at(500), lambda: left.pop(0) if left else False).results
    reads = shop.bucket.calls["read before"]
    assert len(shop.sweep.headers) == 1
    report = shop.sweep.run(at(560))
    assert len(report.results) == 2
    assert shop.bucket.calls["read before"] == reads + 3, "one header and two buckets"


def test_a_damaged_bucket_is_replaced_its_incidents_end_and_the_others_are_swept() -> None:
    shop, damaged, _ = divided_shop()
    open_incident = begin(WINDOWED.name, Anomaly("a", FIRST, 3.5, 4.0, ("0", 9), ()))
    shop.sweep.store.open_incidents = lambda: [open_incident]
    shop.bucket.write_bytes(damaged, b"damaged")

    report = shop.sweep.run(at(500))

    assert [len(result.rows) for result in report.results] == [1]
    assert shop.inbox.changes == {(open_incident.id, "ended:high"): 1}
    assert shop.inbox.notices == {"state reset": 1}
    assert (report.errors, report.undelivered) == ([], [])
    shop.sweep.store.open_incidents = tuple
    writes = shop.bucket.writes
    assert shop.rows_at(at(560)) == []
    assert shop.bucket.writes == writes


def test_a_bucket_of_a_newer_version_is_reported_and_the_others_are_swept() -> None:
    shop, newer, _ = divided_shop()
    content = shop.bucket.objects[newer][0]
    shop.bucket.write_bytes(newer, content.replace(b" %d " % SCHEMA, b" %d " % (SCHEMA + 1), 1))
    written = shop.bucket.objects[newer]

    report = shop.sweep.run(at(500))

    assert [type(error) for error in report.errors] == [NewerState]
    assert [len(result.rows) for result in report.results] == [1]
    assert shop.bucket.objects[newer] == written
