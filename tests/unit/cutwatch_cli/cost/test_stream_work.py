from dataclasses import replace

import pytest

from cutwatch.detectors.stream import ForestSettings
from cutwatch.streams.buckets import key_bytes
from cutwatch_cli.cost.stream_assumptions import StreamAssumptions
from cutwatch_cli.cost.stream_work import Load, StreamWork
from tests.support.streams import a_stream

STREAM = a_stream(forest=ForestSettings())
HOT = Load(records_per_second=1_000)


def work(load: Load = HOT, window: float = 5, **assumed: float) -> StreamWork:
    return StreamWork(STREAM, load, window, StreamAssumptions(**assumed))


@pytest.mark.parametrize(
    ("rate", "window", "batch"),
    [(100, 1, 100), (100, 5, 500), (100, 60, 1_000), (1_000, 1, 1_000), (0.01, 10, 1)],
)
def test_a_batch_has_the_records_of_its_window_up_to_the_batch_size(
    rate: float, window: float, batch: float
) -> None:
    found = work(Load(rate), window)
    assert found.batch == batch
    assert found.batches == pytest.approx(rate / batch)


def test_records_are_polled_each_second_without_a_window() -> None:
    assert work(Load(100), window=0).batch == work(Load(100), window=1).batch == 100


def test_large_records_fill_a_payload_before_the_batch_size() -> None:
    assert work(HOT._replace(record_bytes=100_000), 60).batch == 47


def test_each_shard_has_batches_of_its_own() -> None:
    four = work(HOT._replace(shards=4), 1)
    assert four.batch == 250
    assert four.batches == pytest.approx(4)


def test_one_bucket_is_written_per_batch_while_states_fit_into_one_object() -> None:
    assert work().writes == 1
    packed = work(HOT._replace(keys=5))
    assert packed.buckets == 1
    assert packed.writes == 1
    assert packed.bucket_mb == pytest.approx(5 * key_bytes(STREAM) / 1e6)


def test_with_many_keys_a_batch_writes_the_buckets_that_it_touches() -> None:
    one = work(HOT._replace(keys=1_000))
    eight = work(HOT._replace(keys=1_000, shards=8))

    assert one.buckets >= 128
    assert one.buckets * 0.9 < one.writes <= one.buckets
    assert eight.writes == pytest.approx(one.buckets / 8, rel=0.03)


def test_states_that_do_not_fit_into_memory_are_read_again() -> None:
    assert work().reads == pytest.approx(0.02)
    many = work(HOT._replace(keys=1_000))
    assert many.reads > 0.7 * many.writes
    assert work(HOT._replace(keys=1_000), cached_mb=1e6).reads == pytest.approx(0.02 * many.writes)


def test_more_and_larger_forests_take_longer() -> None:
    small = replace(work(), stream=a_stream(forest=ForestSettings(trees=30)))
    assert small.seconds < work().seconds < work(HOT._replace(keys=10)).seconds
    featured = replace(work(), stream=a_stream(forest=ForestSettings(trees=30), features="auto"))
    assert featured.seconds > 1.3 * small.seconds
    assert work().busy == pytest.approx(work().seconds)
    assert work(HOT._replace(keys=1_000)).busy > 1


def test_a_sweep_reads_the_headers_of_what_was_written() -> None:
    assert (work().listings, work().swept_headers) == (1, 1)
    silent = work(Load(0.001))
    assert silent.swept_headers == pytest.approx(0.06)
    assert silent.sweep_seconds < work().sweep_seconds
