"""A stream's shards: ranges, splits, merges, numbers, throughput, expiry."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.api_response import ApiError
from localaws.kinesis.shards import HASH_KEYS
from localaws.kinesis.stream import Stream, even_ranges
from localaws.kinesis.throughput import Throughput

NOW = 1_790_000_000.0


def stream_of(count: int) -> Stream:
    stream = Stream(
        "s", "arn:aws:kinesis:us-east-1:123456789012:stream/s", NOW, "PROVISIONED", 1024
    )
    stream.open_with(count, NOW)
    return stream


def is_covered_once(stream: Stream) -> bool:
    """Whether the open shards divide all hash keys among them."""
    following = 0
    for shard in stream.open_shards:
        if shard.first_hash != following:
            return False
        following = shard.last_hash + 1
    return following == HASH_KEYS


def test_numbers_have_56_digits_and_ascend_within_the_stream() -> None:
    stream = stream_of(2)
    numbers = [
        stream.add(stream.shard_for(f"key-{n}", None), f"key-{n}", "", 1, NOW + n)
        for n in range(50)
    ]
    assert {len(str(number)) for number in numbers} == {56}
    assert numbers == sorted(set(numbers))


def test_a_number_is_of_one_shard_of_one_stream() -> None:
    stream, other = stream_of(2), stream_of(2)
    other.created += 1
    first, second = stream.open_shards
    number = stream.add(first, "k", "", 1, NOW)
    assert stream.is_from(number, first)
    assert not stream.is_from(number, second)
    assert not other.is_from(number, first)


def test_a_key_goes_where_the_md5_of_it_belongs() -> None:
    stream = stream_of(4)
    shard = stream.shard_for("a", None)
    assert shard.owns(int("0cc175b9c0f1b6a831c399e269772661", 16))
    assert stream.shard_for("a", str(HASH_KEYS - 1)) is stream.open_shards[-1]


def test_a_hash_key_beyond_the_range_is_refused() -> None:
    with pytest.raises(ApiError, match="ExplicitHashKey must be in the range"):
        stream_of(1).shard_for("a", str(HASH_KEYS))


def test_a_split_closes_the_parent_and_keeps_its_records() -> None:
    stream = stream_of(1)
    (parent,) = stream.open_shards
    number = stream.add(parent, "k", "", 1, NOW)
    stream.split(parent, HASH_KEYS // 2, NOW + 1)
    children = stream.open_shards
    assert [child.parents for child in children] == [(parent.id,)] * 2
    assert parent.last_number is not None
    assert parent.first_number < number < parent.last_number < children[0].first_number
    assert [record.number for record in parent.after(0)] == [number]
    assert is_covered_once(stream)


@pytest.mark.parametrize("at", [0, HASH_KEYS])
def test_a_split_has_to_be_within_the_shards_range(at: int) -> None:
    stream = stream_of(1)
    with pytest.raises(ApiError, match="NewStartingHashKey"):
        stream.split(stream.open_shards[0], at, NOW)


def test_a_closed_shard_is_neither_split_nor_merged_again() -> None:
    stream = stream_of(2)
    left, right = stream.open_shards
    stream.merge(left, right, NOW)
    assert stream.open_shards[0].parents == (left.id, right.id)
    with pytest.raises(ApiError) as refused:
        stream.split(left, 5, NOW)
    assert refused.value.code == "ResourceInUseException"
    with pytest.raises(ApiError, match="has already been merged or split"):
        stream.merge(left, right, NOW)


def test_only_neighbours_are_merged() -> None:
    stream = stream_of(3)
    with pytest.raises(ApiError, match="not an adjacent pair"):
        stream.merge(stream.open_shards[0], stream.open_shards[2], NOW)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 50), st.integers(0, HASH_KEYS - 1)), max_size=20
    )
)
def test_shards_always_divide_all_hash_keys(changes: list[tuple[bool, int, int]]) -> None:
    stream = stream_of(3)
    for splits, place, at in changes:
        shards = stream.open_shards
        shard = shards[place % len(shards)]
        if splits and shard.first_hash < at <= shard.last_hash:
            stream.split(shard, at, NOW)
        elif len(shards) > 1 and shard is not shards[-1]:
            stream.merge(shard, shards[shards.index(shard) + 1], NOW)
        assert is_covered_once(stream)


@pytest.mark.parametrize("counts", [[2, 4, 3], [3, 2, 1, 2], [1, 2, 3]])
def test_a_resized_stream_has_even_shards_with_parents(counts: list[int]) -> None:
    stream = stream_of(counts[0])
    first = set(stream.shards)
    for count in counts[1:]:
        stream.resize(count, NOW)
        ranges = [(shard.first_hash, shard.last_hash) for shard in stream.open_shards]
        assert ranges == list(even_ranges(count))
    assert all(shard.parents for shard in stream.shards.values() if shard.id not in first)


def test_records_and_closed_shards_expire_after_the_retention() -> None:
    stream = stream_of(1)
    (parent,) = stream.open_shards
    stream.add(parent, "k", "", 1, NOW)
    stream.split(parent, HASH_KEYS // 2, NOW + 3600)
    stream.expire(NOW + 24 * 3600 + 1)
    assert parent.records == []
    assert parent.id in stream.shards
    stream.expire(NOW + 25 * 3600 + 1)
    assert list(stream.shards) == ["shardId-000000000001", "shardId-000000000002"]


def test_throughput_is_of_the_last_second() -> None:
    throughput = Throughput(2, 100)
    for at in (0.0, 0.5):
        assert throughput.admits(at, 10)
        throughput.use(at, 10)
    assert not throughput.admits(0.9, 10)
    assert throughput.admits(1.0, 10)


def test_bytes_are_limited_beside_counts() -> None:
    throughput = Throughput(10, 100)
    throughput.use(0.0, 60)
    assert not throughput.admits(0.5, 41)
    assert throughput.admits(0.5, 40)


def test_what_is_larger_than_a_second_takes_several() -> None:
    throughput = Throughput(5, 100)
    throughput.use(0.0, 500)
    assert not throughput.admits(4.9)
    assert throughput.admits(5.0)


def test_a_clock_that_is_put_back_does_not_block() -> None:
    throughput = Throughput(1, 100)
    throughput.use(1000.0, 10)
    assert throughput.admits(500.0, 10)


def test_a_shard_takes_a_thousand_records_a_second() -> None:
    stream = stream_of(1)
    (shard,) = stream.open_shards
    for _ in range(1000):
        stream.add(shard, "k", "", 1, NOW)
    with pytest.raises(ApiError) as refused:
        stream.add(shard, "k", "", 1, NOW + 0.5)
    assert refused.value.code == "ProvisionedThroughputExceededException"
    stream.add(shard, "k", "", 1, NOW + 1)
