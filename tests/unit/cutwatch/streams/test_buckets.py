import hashlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detectors.stream import ForestSettings, KeySettings
from cutwatch.detectors.stream_window import StreamWindow
from cutwatch.streams.buckets import bucket_count, bucket_of, key_bytes, key_limit
from cutwatch.streams.key_bucket import KeyBucket
from tests.support.streams import a_stream, noise, records_of, score_records

MANY = a_stream(forest=ForestSettings(), keys=KeySettings(limit=1_000))


@given(st.text(max_size=40), st.integers(0, 8))
def test_a_bucket_is_a_range_of_the_hashes_by_which_kinesis_chooses_shards(
    key: str, bits: int
) -> None:
    buckets = 2**bits
    hashed = int.from_bytes(hashlib.md5(key.encode()).digest())
    assert bucket_of(key, buckets) == hashed // (2**128 // buckets)


def test_a_stream_without_a_key_has_one_bucket() -> None:
    assert bucket_count(a_stream(record=replace(MANY.record, key=""))) == 1


def test_the_number_of_buckets_is_a_power_of_two_and_keeps_objects_below_8_mb() -> None:
    buckets = bucket_count(MANY)

    assert buckets & (buckets - 1) == 0
    share = MANY.keys.limit / buckets * key_bytes(MANY)
    assert 4 * 1024**2 < share <= 8 * 1024**2


def test_few_keys_share_one_object() -> None:
    assert bucket_count(a_stream(keys=KeySettings(limit=50))) == 1


def test_all_buckets_together_have_room_for_every_key() -> None:
    buckets = bucket_count(MANY)
    rooms = [0] * buckets
    for number in range(MANY.keys.limit):
        rooms[bucket_of(f"device-{number}", buckets)] += 1
    assert max(rooms) <= key_limit(MANY, buckets)


def test_one_bucket_takes_exactly_the_limit() -> None:
    assert key_limit(a_stream(keys=KeySettings(limit=7)), 1) == 7


@pytest.mark.parametrize("columns", [1, 3])
def test_the_size_of_a_state_is_estimated_well_enough(columns: int) -> None:
    values = {f"x{n}": "x" for n in range(columns)}
    stream = a_stream(forest=ForestSettings(30, 256), record=replace(MANY.record, values=values))
    bucket = KeyBucket.empty(stream, 0)
    score_records(stream, records_of(noise(1_000)), bucket)
    size = len(bucket.states["a"].to_bytes(stream))
    assert 0.8 < size / key_bytes(stream) < 1.25


def test_percentiles_of_long_windows_make_a_key_larger() -> None:
    window = StreamWindow("tumbling", 600, ("p95(x)",))
    assert key_bytes(a_stream(window=window)) > 10 * key_bytes(a_stream())


def test_features_take_a_forest_each_and_a_profile() -> None:
    featured = replace(MANY, features="auto")
    assert 3 * key_bytes(MANY) < key_bytes(featured) < 3 * key_bytes(MANY) + 100_000
    assert bucket_count(featured) >= 2 * bucket_count(MANY)
