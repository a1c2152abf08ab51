from dataclasses import replace

import pytest

from cutwatch.detectors.stream import KeySettings
from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.streams.buckets import key_bytes
from cutwatch.tables.forest_state import forest_buckets
from cutwatch_cli.cost.stream_work import Load
from cutwatch_cli.cost.table_assumptions import TableAssumptions
from cutwatch_cli.cost.table_work import EndpointWork, ForestWork, TrainingWork

TABLE = WatchedTable("orders", "orders", {"value": "value"}, engine="forest")
ASSUMED = TableAssumptions()


def by_endpoint(load: Load, window: float = 1, **assumed: float) -> EndpointWork:
    return EndpointWork(TABLE, load, window, TableAssumptions(**assumed))


def by_forest(load: Load, window: float = 1) -> ForestWork:
    return ForestWork(TABLE.as_stream, load, window, ASSUMED.of_streams, TABLE)


def test_a_batch_is_one_request_up_to_4_mb() -> None:
    assert by_endpoint(Load(1_000)).batch == 1_000
    assert by_endpoint(Load(1_000)).requests == 1
    assert by_endpoint(Load(1_000), endpoint_row_bytes=10_000).requests == 3


def test_the_function_waits_for_the_endpoint_and_reads_its_state() -> None:
    found = by_endpoint(Load(100), rejected_share=0)
    own = 0.010 + 100 * 22e-6 + 0.050
    assert found.endpoint_seconds == pytest.approx(0.010 + 100 * 30e-6)
    assert found.seconds == pytest.approx(own + found.endpoint_seconds)
    assert found.busy == pytest.approx(found.seconds)


def test_batches_of_forests_exclude_each_other_whatever_their_shard() -> None:
    one, two = by_forest(Load(10)), by_forest(Load(10, shards=2))
    assert two.batches == pytest.approx(2 * one.batches)
    assert two.busy == pytest.approx(two.batches * two.seconds)


def test_a_forest_s_object_has_the_changes_of_a_day() -> None:
    found = by_forest(Load(10))
    assert found.buckets == 1
    assert found.bucket_mb == pytest.approx((key_bytes(TABLE.as_stream) + 10 * 86_400 * 8) / 1e6)


@pytest.mark.parametrize("rate", [1, 40])
def test_forests_have_as_many_objects_as_the_function_makes(rate: float) -> None:
    declared = replace(
        TABLE, key="zone", keys=KeySettings(limit=100), changes_per_day=int(rate * 86_400)
    )
    assert by_forest(Load(rate, keys=100)).buckets == forest_buckets(declared)


def test_a_table_without_a_key_may_be_estimated_with_several() -> None:
    table = replace(TABLE, values={"value": "key"})
    load = Load(1, keys=100)
    work = ForestWork(table.as_stream, load, 1, ASSUMED.of_streams, table)
    assert work.buckets == by_forest(load).buckets > 1


def test_states_of_forests_that_do_not_fit_into_memory_are_read_again() -> None:
    few, many = by_forest(Load(10, keys=2)), by_forest(Load(10, keys=1_000))
    assert few.reads == pytest.approx(0.02 * few.writes)
    assert many.reads > 0.5 * many.writes
    assert many.busy > 1 > few.busy


def test_a_scan_takes_the_read_units_that_it_may() -> None:
    work = TrainingWork(100_000, 100e6, ASSUMED)
    assert work.preparation_seconds == pytest.approx(100e6 / 8_192 / 100)
    assert TrainingWork(1_000_000, 1e9, ASSUMED).preparation_seconds == 780, "it has no more time"
    assert work.glue_hours == 0
    assert TrainingWork(4_000_000, 1e9, ASSUMED).glue_hours == pytest.approx(2 * 6 / 60)


def test_the_assumptions_for_states_are_the_table_s() -> None:
    changed = TableAssumptions(tree_microseconds=5, cached_mb=7).of_streams
    assert (changed.tree_microseconds, changed.cached_mb) == (5, 7)
