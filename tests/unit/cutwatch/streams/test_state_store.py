import json
from dataclasses import replace

import pytest

from cutwatch.aws import versioned_objects
from cutwatch.detectors.stream import ForestSettings, KeySettings
from cutwatch.errors import ConditionFailed, NewerState
from cutwatch.streams import state_store
from cutwatch.streams.buckets import bucket_of
from cutwatch.streams.incidents import STATE_WAS_DAMAGED, Anomaly, IncidentChange, begin
from cutwatch.streams.key_bucket import SCHEMA, Totals
from cutwatch.streams.state_store import StateStore
from tests.support.stream_state import FakeBucket
from tests.support.streams import (
    LONG_AFTER,
    START,
    a_record,
    a_stream,
    noise,
    records_of,
    score_records,
)

STREAM = a_stream()


@pytest.fixture
def bucket() -> FakeBucket:
    return FakeBucket()


def stored(bucket: FakeBucket, values: int = 3) -> str:
    """Store bucket 0 with a key, and return the object's key."""
    store = StateStore(bucket, STREAM)
    taken = store.take(0)
    score_records(STREAM, records_of(noise(values)), taken.bucket)
    store.save(taken)
    return f"{store.prefix}0000"


def test_the_first_environment_decides_the_number_of_buckets_for_good(bucket: FakeBucket) -> None:
    many = a_stream(keys=KeySettings(limit=1_000), forest=ForestSettings())
    more = replace(many, keys=KeySettings(limit=10_000))
    decided = StateStore(bucket, many).buckets()

    assert decided > 1
    assert StateStore(bucket, more).buckets() == decided
    assert json.loads(bucket.objects[f"{StateStore(bucket, many).prefix}layout.json"][0]) == {
        "schema": 1,
        "buckets": decided,
    }


def test_two_environments_that_decide_at_once_agree(bucket: FakeBucket) -> None:
    first, second = StateStore(bucket, STREAM), StateStore(bucket, STREAM)
    decided: list[int] = []

    def other(point: str) -> None:
        if point == "write before" and not decided:
            decided.append(0)
            decided[0] = second.buckets()

    bucket.interrupt = other
    assert [first.buckets()] == decided


def test_a_bucket_that_was_written_since_is_not_overwritten(bucket: FakeBucket) -> None:
    stored(bucket)
    first, second = (StateStore(bucket, STREAM).load(0) for _ in range(2))
    StateStore(bucket, STREAM).save(first)

    with pytest.raises(ConditionFailed):
        StateStore(bucket, STREAM).save(second)


def test_a_bucket_in_memory_is_taken_out_before_it_is_changed(bucket: FakeBucket) -> None:
    store = StateStore(bucket, STREAM)
    taken = store.take(0)
    store.save(taken)

    assert store.take(0) is taken
    assert store.cache == {}


def test_memory_keeps_the_buckets_that_were_written_last(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versioned_objects, "_CACHE_BYTES", 500)
    store = StateStore(bucket, STREAM)
    for number in range(4):
        store.save(store.take(number))
    assert list(store.cache) == [2, 3]


def test_another_configuration_leaves_the_states_of_the_one_before(bucket: FakeBucket) -> None:
    key = stored(bucket)
    changed = replace(STREAM, forest=ForestSettings(trees=6, sample_size=40))
    other = StateStore(bucket, changed)

    assert other.load(0).etag is None
    other.save(other.load(0))
    assert StateStore(bucket, STREAM).load(0).bucket.position("0") == 2
    assert key in bucket.objects


@pytest.mark.parametrize("place", [20, 300, -1])
def test_a_damaged_bucket_is_set_aside_and_begins_from_scratch(
    bucket: FakeBucket, place: int
) -> None:
    key = stored(bucket)
    content, etag = bucket.objects[key]
    damaged = bytearray(content)
    damaged[place] ^= 1
    bucket.objects[key] = (bytes(damaged), etag)
    store = StateStore(bucket, STREAM)
    taken = store.load(0)

    assert len(taken.bucket.states) == 0
    [notice] = taken.bucket.outbox.notices
    assert notice.kind == "state reset"
    aside = f"streams/sensors/damaged/{STREAM.fingerprint}-0000-" + etag.strip('"')
    assert bucket.objects[aside][0] == bytes(damaged)
    assert f"s3://data/{aside}" in notice.text
    store.save(taken)
    assert StateStore(bucket, STREAM).load(0).bucket.outbox.notices == [notice]


def test_the_incidents_that_a_damaged_bucket_had_open_end_with_the_reason(
    bucket: FakeBucket,
) -> None:
    many = a_stream(keys=KeySettings(limit=1_000), forest=ForestSettings())
    open_incidents = [
        begin(many.name, Anomaly(f"p-{number}", START, 2.0, 3.0, ("0", number), ()))
        for number in range(50)
    ]
    store = StateStore(bucket, many, open_incidents=lambda: open_incidents)
    buckets = store.buckets()
    number = bucket_of("p-0", buckets)
    bucket.write_bytes(store.key(number), b"damaged")

    changes = store.load(number).bucket.outbox.changes
    mine = [each for each in open_incidents if bucket_of(each.key, buckets) == number]
    assert 0 < len(mine) < 50
    assert changes == [IncidentChange("ended", each, STATE_WAS_DAMAGED) for each in mine]


def test_a_bucket_of_a_newer_version_is_left_as_it_is(bucket: FakeBucket) -> None:
    key = stored(bucket)
    content, etag = bucket.objects[key]
    newer = content.replace(b" %d " % SCHEMA, b" %d " % (SCHEMA + 1), 1)
    bucket.objects[key] = (newer, etag)

    with pytest.raises(NewerState, match="deploy the version that wrote it"):
        StateStore(bucket, STREAM).load(0)
    assert bucket.objects[key] == (newer, etag)


def test_a_header_is_read_without_the_states(
    bucket: FakeBucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(bucket)
    store = StateStore(bucket, STREAM)
    header = store.header(0)
    monkeypatch.setattr(state_store, "_HEADER_BYTES", 40)

    assert store.header(0) == header
    assert header.applied == {"0": 2}
    assert not header.has_outbox
    assert header.arrivals == {"0": LONG_AFTER}
    assert header.keys == 1
    assert header.totals == Totals(accepted=3)


def test_stored_buckets_are_listed_without_the_layout(bucket: FakeBucket) -> None:
    store = StateStore(bucket, STREAM)
    store.buckets()
    stored(bucket)
    assert [each.number for each in store.stored()] == [0]


def test_states_that_no_record_touched_are_stored_as_they_were(bucket: FakeBucket) -> None:
    store = StateStore(bucket, STREAM)
    taken = store.take(0)
    score_records(STREAM, [a_record(0, id="a"), a_record(1, id="b")], taken.bucket)
    store.save(taken)
    again = StateStore(bucket, STREAM).load(0)
    score_records(STREAM, [a_record(2, id="b")], again.bucket)
    before = taken.bucket.states.stored()["a"].content

    assert again.bucket.states.stored()["a"].content is not before
    assert again.bucket.states.stored()["a"].content == before
