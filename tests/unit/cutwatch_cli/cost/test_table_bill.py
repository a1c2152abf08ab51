import pytest

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch_cli.cost.prices import TABLE_PRICES, with_prices
from cutwatch_cli.cost.stream_work import Load
from cutwatch_cli.cost.table_assumptions import TableAssumptions
from cutwatch_cli.cost.table_bill import PARTS, TableBill, Way
from cutwatch_cli.cost.table_estimate import TableEstimate

MONTH_SECONDS = 730 * 3_600
ONE = Load(1)
TABLE = WatchedTable("orders", "orders", {"value": "value"}, engine="forest")


def estimate(load: Load = ONE, items: int = 100_000, **assumed: float) -> TableEstimate:
    return TableEstimate(TABLE, load, items, TABLE_PRICES, TableAssumptions(**assumed))


def bill(way: Way, load: Load = ONE, items: int = 100_000, **assumed: float) -> TableBill:
    return next(each for each in estimate(load, items, **assumed).own_bills if each.way == way)


def quantity(found: TableBill, item: str) -> float:
    return sum(
        line.quantity for lines in found.parts.values() for line in lines if line.item == item
    )


def test_an_instance_costs_each_hour_and_twice_while_a_new_model_bakes() -> None:
    found = bill("instance", overlap_hours=0.5)
    assert quantity(found, "instances of the endpoint") == pytest.approx(730 + 730 / 168 * 0.5)
    assert bill("instance", Load(100)).of_part("endpoint") == bill("instance").of_part("endpoint")
    two = bill("instance", endpoint_instances=2)
    assert two.of_part("endpoint") == pytest.approx(2 * bill("instance").of_part("endpoint"))


def test_a_serverless_endpoint_costs_what_it_scores() -> None:
    slow, fast = bill("serverless", Load(1)), bill("serverless", Load(100))
    assert quantity(slow, "instances of the endpoint") == 0
    assert quantity(fast, "rows and scores") == pytest.approx(100 * MONTH_SECONDS * 60 / 1e9)
    assert 0 < slow.of_part("endpoint") < fast.of_part("endpoint")
    assert slow.total < bill("instance").total


def test_forests_have_neither_endpoint_nor_training() -> None:
    found = bill("forest")
    assert [*found.parts] == ["scoring"]
    assert quantity(found, "training jobs") == quantity(found, "instances of the endpoint") == 0
    # One object a batch, a batch each second, and a listing each minute.
    assert quantity(found, "writing states and training data") == MONTH_SECONDS + 43_800


def test_an_endpoint_writes_its_state_only_for_what_is_anomalous_or_rejected() -> None:
    quiet = bill("instance", Load(10), rejected_share=0)
    assert quantity(quiet, "rejected changes") == 0
    writing = [line.quantity for line in quiet.parts["scoring"] if line.service == "S3"]
    assert writing == [pytest.approx(MONTH_SECONDS + 12 * 730)], "reading only"


def test_trainings_are_weekly_and_read_every_item() -> None:
    found = bill("instance", items=200_000)
    trainings = 730 / 168
    assert quantity(found, "training jobs") == pytest.approx(trainings * 4 / 60)
    training = {(line.service, line.item): line.quantity for line in found.parts["training"]}
    units = training["DynamoDB", "silences, cutoffs, items of trainings"]
    assert units == pytest.approx(trainings * 200_000 * 1_000 / 8_192)
    daily = bill("instance", hours_between_trainings=24)
    assert daily.of_part("training") == pytest.approx(7 * bill("instance").of_part("training"))


@pytest.mark.parametrize(
    ("items", "record_bytes", "by_glue"),
    [(2_000_000, 500, False), (2_000_001, 400, True), (1_100_000, 1_000, True)],
)
def test_a_table_that_a_function_cannot_read_is_prepared_by_glue(
    items: int, record_bytes: float, by_glue: bool
) -> None:
    found = bill("instance", Load(1, record_bytes=record_bytes), items)
    assert (quantity(found, "preparation jobs") > 0) is by_glue
    exported = quantity(found, "exports") / (730 / 168)
    assert exported == pytest.approx(items * record_bytes / 1e9 if by_glue else 0)
    assert (quantity(found, "point-in-time recovery") > 0) is by_glue


def test_the_state_of_a_forest_remembers_a_million_changes_a_day() -> None:
    assert bill("forest", Load(11)).has_room
    assert not bill("forest", Load(12)).has_room
    assert bill("forest", Load(12, keys=2)).has_room
    assert bill("instance", Load(12)).has_room


def test_the_parts_and_the_items_add_up() -> None:
    for found in estimate(Load(5, keys=3)).own_bills:
        payload = found.to_payload()
        assert found.total == pytest.approx(sum(found.of_part(part) for part in PARTS))
        assert found.total == pytest.approx(sum(each["dollars"] for each in payload["items"]))
        assert found.total > 6, "metrics, alarms and dashboard alone cost that"


def test_a_changed_price_changes_its_item_only() -> None:
    usual = estimate()
    prices = with_prices({"endpoint_hour": 0}, TABLE_PRICES)
    changed = TableEstimate(TABLE, Load(1), 100_000, prices, TableAssumptions())
    [before, serverless, forest] = usual.own_bills
    [after, same, equal] = changed.own_bills
    assert before.total - after.total == pytest.approx(before.of_part("endpoint"))
    assert (same.total, equal.total) == (serverless.total, forest.total)
