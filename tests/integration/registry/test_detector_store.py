"""On DynamoDB as far as moto implements it: conditions and paging are what matters."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cutwatch.aws.clients import client
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.errors import ConditionFailed, Throttled
from cutwatch.registry.detector_store import DetectorStore
from tests.support.account import Account
from tests.support.builders import NOON, a_detector, a_model
from tests.support.client_events import counted_calls, hook

RUN = "transform-20261102T120000Z"
HOUR = timedelta(hours=1)
FIRST, SECOND = (
    LastEvent("orders:1", "2026-11-02T09:00:00Z"),
    LastEvent("orders:2", "2026-11-02T11:00:00Z"),
)


@pytest.fixture
def store(account: Account) -> DetectorStore:
    return account.registry.detectors


def advance(
    store: DetectorStore,
    end: datetime,
    run: str = RUN,
    last: LastEvent | None = None,
    earlier: LastEvent | None = None,
) -> None:
    store.advance("orders", end, run, last, earlier)


def test_nothing_is_known_of_a_new_detector(store: DetectorStore) -> None:
    record = store.get("orders")

    assert (record.models, record.published_through) == ((), None)
    assert record.usable_model(a_detector().fingerprint) is None
    assert store.all() == {}


def test_models_are_kept_newest_first_whatever_the_order_of_their_registration(
    store: DetectorStore,
) -> None:
    for month in (9, 11, 10):
        store.add_model(
            "orders", a_model(f"m{month}", scheduled_time=f"2026-{month:02}-01T03:00:00Z")
        )

    assert [model.name for model in store.get("orders").models] == ["m11", "m10", "m9"]


def test_a_model_is_read_back_as_it_was_registered(store: DetectorStore) -> None:
    store.add_model("orders", a_model())
    assert store.get("orders").models == (a_model(),)


def test_registering_a_model_again_replaces_its_entry(store: DetectorStore) -> None:
    store.add_model("orders", a_model(recipe="one"))
    store.add_model("orders", a_model(recipe="two"))

    assert store.get("orders").models == (a_model(recipe="two"),)


def test_only_a_newest_model_of_the_same_recipe_is_usable(store: DetectorStore) -> None:
    fingerprint = a_detector().fingerprint
    store.add_model("orders", a_model("old", scheduled_time="2026-10-01T03:00:00Z"))
    assert store.get("orders").usable_model(fingerprint) is not None

    store.add_model("orders", a_model("new", fingerprint="other"))
    assert store.get("orders").usable_model(fingerprint) is None


def test_removed_models_are_forgotten_and_the_others_kept(store: DetectorStore) -> None:
    for name in ("one", "two"):
        store.add_model("orders", a_model(name))

    assert [model.name for model in store.remove_models("orders", {"one", "three"})] == ["two"]


def interrupt(store: DetectorStore, times: int) -> Any:
    """Let another writer get in between reading and writing, as often as `times`."""
    left = [times]

    def write_first(**_: Any) -> None:
        if left[0]:
            left[0] -= 1
            other = DetectorStore(store.table)
            remaining, left[0] = left[0], 0
            other.add_model("orders", a_model(f"other-{remaining}"))
            left[0] = remaining

    return hook(client("dynamodb"), "before-parameter-build.dynamodb.UpdateItem", write_first)


def test_of_two_writers_at_once_neither_loses_its_model(store: DetectorStore) -> None:
    with interrupt(store, 2):
        store.add_model("orders", a_model("mine"))

    names = {model.name for model in store.get("orders").models}
    assert names == {"mine", "other-1", "other-0"}


def test_a_writer_that_never_gets_through_says_so(store: DetectorStore) -> None:
    with interrupt(store, 99), pytest.raises(ConditionFailed):
        store.add_model("orders", a_model("mine"))


def test_the_watermark_moves_forward_and_never_back(store: DetectorStore) -> None:
    advance(store, NOON)
    advance(store, NOON - HOUR)
    assert store.get("orders").published_through == NOON

    advance(store, NOON + HOUR)
    assert store.get("orders").published_through == NOON + HOUR


def test_the_newest_event_is_remembered_for_the_next_run(store: DetectorStore) -> None:
    advance(store, NOON, "run-1", FIRST)

    assert store.get("orders").event_before("run-2") == FIRST


def test_a_repetition_of_a_run_sees_the_event_that_was_newest_before_it(
    store: DetectorStore,
) -> None:
    advance(store, NOON, "run-1", FIRST)
    advance(store, NOON + HOUR, "run-2", SECOND, FIRST)

    assert store.get("orders").event_before("run-2") == FIRST
    assert store.get("orders").event_before("run-3") == SECOND


def test_an_event_of_an_older_window_replaces_nothing(store: DetectorStore) -> None:
    advance(store, NOON, "run-2", SECOND)
    advance(store, NOON - HOUR, "run-1", FIRST)

    assert store.get("orders").event_before("run-3") == SECOND


def test_models_and_watermark_do_not_disturb_each_other(store: DetectorStore) -> None:
    advance(store, NOON)
    store.add_model("orders", a_model())
    advance(store, NOON + HOUR)
    store.add_model("orders", a_model("second"))

    record = store.get("orders")
    assert (len(record.models), record.published_through) == (2, NOON + HOUR)


def test_a_forgotten_detector_is_as_if_it_had_never_been(store: DetectorStore) -> None:
    store.add_model("orders", a_model())
    advance(store, NOON)

    store.delete("orders")

    assert store.get("orders").models == ()
    assert store.all() == {}


def test_more_detectors_than_a_page_holds_are_all_found(store: DetectorStore) -> None:
    for number in range(12):
        store.add_model(f"d{number}", a_model(recipe="x" * 100_000))

    with counted_calls("dynamodb") as calls:
        assert len(store.all()) == 12
    assert len(calls) > 1


def test_a_throttled_write_is_not_taken_for_a_lost_race(store: DetectorStore) -> None:
    def refuse(**_: Any) -> None:
        raise Throttled("UpdateItem", "ThrottlingException", "slow down")

    with (
        hook(client("dynamodb"), "before-parameter-build.dynamodb.UpdateItem", refuse),
        pytest.raises(Throttled),
    ):
        advance(store, NOON)


def test_the_definition_of_what_was_published_is_kept(store: DetectorStore) -> None:
    assert store.get("orders").detector is None

    store.advance("orders", NOON, RUN, None, None, None, a_detector().to_payload())

    assert store.get("orders").detector == a_detector()
