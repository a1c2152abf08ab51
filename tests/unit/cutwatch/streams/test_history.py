import gzip
import json

import pytest

from cutwatch.errors import MalformedObject
from cutwatch.streams.batch import BatchScorer
from cutwatch.streams.buckets import bucket_of
from cutwatch.streams.history import learn
from cutwatch.streams.scoring import StreamScorer
from cutwatch.streams.state_store import StateStore
from tests.support.stream_state import Crash, FakeBucket, Inbox
from tests.support.streams import LONG_AFTER, START, a_record, a_stream, noise

STREAM = a_stream()


def lines(values: list[float], first: int = 0) -> bytes:
    each = [json.dumps({"id": "a", "at": START + first + n, "x": x}) for n, x in enumerate(values)]
    return "\n".join(each).encode()


def learned(archive: FakeBucket, *, in_time: bool = True) -> tuple[StateStore, FakeBucket]:
    bucket = FakeBucket()
    store = StateStore(bucket, STREAM)
    begin = lambda count: learn(archive, "past/", store, count, LONG_AFTER, lambda: in_time)  # noqa: E731
    assert store.buckets(begin) == 1
    return store, bucket


def test_the_first_record_after_a_history_is_scored() -> None:
    archive = FakeBucket()
    archive.write_bytes("past/1.json", lines(noise(50)) + b"\nrubbish\n\n")
    archive.write_bytes("past/2.json.gz", gzip.compress(lines(noise(50, 1), first=50)))
    archive.write_bytes("other/3.json", lines([9.0], first=100))
    store, _ = learned(archive)
    inbox = Inbox()
    report = BatchScorer(StreamScorer(STREAM), store, inbox.deliver).score(
        [a_record(0, at=START + 100, x=80.0)]
    )

    [row] = report.rows()
    assert not row.learning
    assert [change for _, change in inbox.changes] == ["began:high"]
    assert not inbox.rejected


def test_incidents_of_the_past_are_not_notified() -> None:
    archive = FakeBucket()
    archive.write_bytes("past/1", lines([*noise(80), 90.0]))
    store, _ = learned(archive)
    taken = store.take(0)

    assert not taken.bucket.outbox
    assert taken.bucket.states["a"].incident is None
    assert taken.bucket.totals.applied == 0


def test_states_that_exist_are_left_as_they_are() -> None:
    archive = FakeBucket()
    archive.write_bytes("past/1", lines(noise(80)))
    _store, bucket = learned(archive)
    before = dict(bucket.objects)
    learn(archive, "past/", StateStore(bucket, STREAM), 1, LONG_AFTER, lambda: True)
    assert bucket.objects == before


def test_an_attempt_that_ended_while_it_stored_the_states_is_continued() -> None:
    archive, bucket = FakeBucket(), FakeBucket()
    first, second = (next(key for key in "abcdef" if bucket_of(key, 2) == n) for n in range(2))
    archive.write_bytes("past/1", lines(noise(80)).replace(b'"a"', f'"{first}"'.encode()))
    archive.write_bytes("past/2", lines(noise(80)).replace(b'"a"', f'"{second}"'.encode()))

    def crash(point: str) -> None:
        if point == "write after":
            raise Crash(point)

    bucket.interrupt = crash
    with pytest.raises(Crash):
        learn(archive, "past/", StateStore(bucket, STREAM), 2, LONG_AFTER, lambda: True)
    bucket.interrupt = lambda _: None
    bucket.calls.clear()
    store = StateStore(bucket, STREAM)
    learn(archive, "past/", store, 2, LONG_AFTER, lambda: True)
    assert bucket.calls["write before"] == 1
    assert [store.load(number).bucket.states[key].forest.learned for number, key in enumerate((first, second))] == [80, 80]  # fmt: skip


def test_without_time_the_beginning_is_learned() -> None:
    archive = FakeBucket()
    archive.write_bytes("past/1", lines(noise(1_500)))
    store, _ = learned(archive, in_time=False)
    assert store.take(0).bucket.states["a"].forest.learned == 1_000


def test_a_damaged_archive_is_named() -> None:
    archive = FakeBucket()
    archive.write_bytes("past/1.gz", b"no gzip")
    with pytest.raises(MalformedObject, match=r"s3://data/past/1\.gz is not a gzip file"):
        learned(archive)
