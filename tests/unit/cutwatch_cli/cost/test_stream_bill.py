import pytest

from cutwatch.detectors.stream import ForestSettings
from cutwatch_cli.cost.prices import STREAM_PRICES, with_prices
from cutwatch_cli.cost.stream_assumptions import StreamAssumptions
from cutwatch_cli.cost.stream_bill import (
    ITEMS,
    SERVICES,
    StreamBill,
    flink_dollars,
    kinesis_dollars,
    stream_bill,
)
from cutwatch_cli.cost.stream_estimate import HOT_KEY, HOT_KEY_LIMIT
from cutwatch_cli.cost.stream_work import Load, StreamWork
from tests.support.streams import a_stream

MONTH_SECONDS = 730 * 3_600


def bill(load: Load = HOT_KEY, window: float = 5, **prices: float) -> StreamBill:
    stream = a_stream(forest=ForestSettings())
    work = StreamWork(stream, load, window, StreamAssumptions())
    return stream_bill(work, with_prices(prices, STREAM_PRICES))


def quantity(found: StreamBill, name: str) -> float:
    return next(line.quantity for line in found.lines if (line.service, line.item) == ITEMS[name])


@pytest.mark.parametrize("window", [5, 10, 60, 300])
def test_a_hot_key_costs_less_than_two_cents_a_million_records(window: float) -> None:
    assert 0.005 < bill(window=window).per_million < HOT_KEY_LIMIT == 0.02


def test_a_bucket_is_put_once_a_batch_and_listed_once_a_minute() -> None:
    assert quantity(bill(), "s3_put") == pytest.approx(MONTH_SECONDS + 43_800)
    assert quantity(bill(Load(100)), "s3_put") == pytest.approx(MONTH_SECONDS / 5 + 43_800)


def test_a_longer_window_is_cheaper_until_the_batch_is_full() -> None:
    totals = [bill(Load(100), window).total for window in (1, 5, 10, 60)]
    assert totals[0] > totals[1] > totals[2] == totals[3]


def test_the_services_add_up_and_every_item_has_a_price() -> None:
    found = bill()
    assert sum(map(found.of_service, SERVICES)) == pytest.approx(found.total)
    assert len(found.lines) == len(ITEMS) - 2, "all but Kafka's event pollers and an endpoint"
    assert found.total == pytest.approx(found.per_million * MONTH_SECONDS / 1_000)


def test_a_stream_without_work_costs_what_stands() -> None:
    standing = bill(Load(0.001), custom_metric=0, alarm=0, dashboard=0)
    assert 0 < standing.total < 1


def test_a_changed_price_changes_its_item_only() -> None:
    free = bill(s3_put=0)
    assert bill().total - free.total == pytest.approx(quantity(free, "s3_put") * 5e-6)


def test_flink_needs_two_processing_units_and_their_storage() -> None:
    dollars = flink_dollars(STREAM_PRICES, StreamAssumptions())
    assert dollars == pytest.approx(2 * 730 * 0.11 + 5)


def test_kinesis_bills_shards_and_units_of_25_kilobytes() -> None:
    small = kinesis_dollars(HOT_KEY, STREAM_PRICES, StreamAssumptions())
    large = kinesis_dollars(HOT_KEY._replace(record_bytes=30_000), STREAM_PRICES, StreamAssumptions())  # fmt: skip
    assert small == pytest.approx(730 * 0.015 + MONTH_SECONDS * 1_000 * 0.014e-6)
    assert large - small == pytest.approx(MONTH_SECONDS * 1_000 * 0.014e-6)
