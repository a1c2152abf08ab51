"""The registry on a real DynamoDB as far as moto is one: conditions and paging are what matters here."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from cutwatch.aws.clients import client
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.errors import ConditionFailed, Throttled
from cutwatch.registry.detector_record import LastEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.registry import Registry
from cutwatch.timestamps import format_timestamp
from tests.support.account import Account
from tests.support.builders import NOON, a_detector, a_model, a_run, an_outcome
from tests.support.client_events import counted_calls, hook

RUN = "transform-20261102T120000Z"
HOUR = timedelta(hours=1)


FIRST, SECOND = (
    LastEvent("orders:1", "2026-11-02T09:00:00Z"),
    LastEvent("orders:2", "2026-11-02T11:00:00Z"),
)


def advance(
    registry: Registry,
    end: datetime,
    run: str = RUN,
    last: LastEvent | None = None,
    earlier: LastEvent | None = None,
) -> None:
    registry.advance("orders", end, run, last, earlier)


@pytest.fixture
def registry(account: Account) -> Registry:
    return account.registry


def test_nothing_is_known_of_a_new_detector(registry: Registry) -> None:
    record = registry.detector("orders")

    assert (record.models, record.published_through) == ((), None)
    assert record.usable_model(a_detector().fingerprint) is None
    assert registry.detectors() == {}


def test_models_are_kept_newest_first_whatever_the_order_of_their_registration(
    registry: Registry,
) -> None:
    for month in (9, 11, 10):
        registry.add_model(
            "orders", a_model(f"m{month}", scheduled_time=f"2026-{month:02}-01T03:00:00Z")
        )

    assert [model.name for model in registry.detector("orders").models] == ["m11", "m10", "m9"]


def test_a_model_is_read_back_as_it_was_registered(registry: Registry) -> None:
    registry.add_model("orders", a_model())
    assert registry.detector("orders").models == (a_model(),)


def test_registering_a_model_again_replaces_its_entry(registry: Registry) -> None:
    registry.add_model("orders", a_model(recipe="one"))
    registry.add_model("orders", a_model(recipe="two"))

    assert registry.detector("orders").models == (a_model(recipe="two"),)


def test_only_a_newest_model_of_the_same_recipe_is_usable(registry: Registry) -> None:
    fingerprint = a_detector().fingerprint
    registry.add_model("orders", a_model("old", scheduled_time="2026-10-01T03:00:00Z"))
    assert registry.detector("orders").usable_model(fingerprint) is not None

    registry.add_model("orders", a_model("new", fingerprint="other"))
    assert registry.detector("orders").usable_model(fingerprint) is None


def test_removed_models_are_forgotten_and_the_others_kept(registry: Registry) -> None:
    for name in ("one", "two"):
        registry.add_model("orders", a_model(name))

    assert [model.name for model in registry.remove_models("orders", {"one", "three"})] == ["two"]


def interrupt(registry: Registry, times: int) -> Any:
    """Let another writer get in between reading and writing, as often as `times`."""
    left = [times]

    def write_first(**_: Any) -> None:
        if left[0]:
            left[0] -= 1
            other = Registry(client("dynamodb"), registry._table._name)
            remaining, left[0] = left[0], 0
            other.add_model("orders", a_model(f"other-{remaining}"))
            left[0] = remaining

    return hook(client("dynamodb"), "before-parameter-build.dynamodb.UpdateItem", write_first)


def test_of_two_writers_at_once_neither_loses_its_model(registry: Registry) -> None:
    with interrupt(registry, 2):
        registry.add_model("orders", a_model("mine"))

    names = {model.name for model in registry.detector("orders").models}
    assert names == {"mine", "other-1", "other-0"}


def test_a_writer_that_never_gets_through_says_so(registry: Registry) -> None:
    with interrupt(registry, 99), pytest.raises(ConditionFailed):
        registry.add_model("orders", a_model("mine"))


def test_the_watermark_moves_forward_and_never_back(registry: Registry) -> None:
    advance(registry, NOON)
    advance(registry, NOON - HOUR)
    assert registry.detector("orders").published_through == NOON

    advance(registry, NOON + HOUR)
    assert registry.detector("orders").published_through == NOON + HOUR


def test_the_newest_event_is_remembered_for_the_next_run(registry: Registry) -> None:
    advance(registry, NOON, "run-1", FIRST)

    assert registry.detector("orders").event_before("run-2") == FIRST


def test_a_repetition_of_a_run_sees_the_event_that_was_newest_before_it(registry: Registry) -> None:
    advance(registry, NOON, "run-1", FIRST)
    advance(registry, NOON + HOUR, "run-2", SECOND, FIRST)

    assert registry.detector("orders").event_before("run-2") == FIRST
    assert registry.detector("orders").event_before("run-3") == SECOND


def test_an_event_of_an_older_window_replaces_nothing(registry: Registry) -> None:
    advance(registry, NOON, "run-2", SECOND)
    advance(registry, NOON - HOUR, "run-1", FIRST)

    assert registry.detector("orders").event_before("run-3") == SECOND


def test_models_and_watermark_do_not_disturb_each_other(registry: Registry) -> None:
    advance(registry, NOON)
    registry.add_model("orders", a_model())
    advance(registry, NOON + HOUR)
    registry.add_model("orders", a_model("second"))

    record = registry.detector("orders")
    assert (len(record.models), record.published_through) == (2, NOON + HOUR)


def test_a_forgotten_detector_is_as_if_it_had_never_been(registry: Registry) -> None:
    registry.add_model("orders", a_model())
    advance(registry, NOON)

    registry.forget_detector("orders")

    assert registry.detector("orders").models == ()
    assert registry.detectors() == {}


def test_more_detectors_than_a_page_holds_are_all_found(registry: Registry) -> None:
    for number in range(12):
        registry.add_model(f"d{number}", a_model(recipe="x" * 100_000))

    with counted_calls("dynamodb") as calls:
        assert len(registry.detectors()) == 12
    assert len(calls) > 1


def test_a_runs_now_is_that_of_its_first_execution(registry: Registry) -> None:
    assert registry.open_run(RUN, NOON) == NOON
    assert registry.open_run(RUN, NOON + HOUR) == NOON


@pytest.mark.parametrize(("days", "reopened"), [(12, False), (14, True)])
def test_a_runs_now_is_renewed_once_cloudwatch_would_refuse_it(
    registry: Registry, days: int, reopened: object
) -> None:
    registry.open_run(RUN, NOON)
    later = NOON + timedelta(days=days)

    assert (registry.open_run(RUN, later) == later) is reopened


def test_an_outcome_is_read_back_with_its_anomalies(registry: Registry) -> None:
    spike = AnomalyEvent(
        "orders:9", "2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z", 1, 1 / 3
    )
    outcome = an_outcome(max_anomaly_score=1 / 3, new_events=1, events=(spike,))

    registry.record_outcome(RUN, NOON, outcome)

    assert registry.outcome(RUN, "orders") == outcome
    assert registry.outcomes(RUN) == [outcome]
    assert registry.outcomes("another-run") == []


@pytest.mark.parametrize("success", ["PUBLISHED", "TRAINED"])
@pytest.mark.parametrize("less", ["FAILED", "UP_TO_DATE", "NO_DATA", "TOO_LITTLE_HISTORY"])
def test_a_success_is_never_replaced_by_anything_less(
    registry: Registry, success: Any, less: Any
) -> None:
    registry.record_outcome(RUN, NOON, an_outcome(status=success))
    registry.record_outcome(RUN, NOON, an_outcome(status=less))

    [recorded] = registry.outcomes(RUN)
    assert recorded.status == success


def test_a_failure_is_replaced_by_the_success_of_a_repetition(registry: Registry) -> None:
    registry.record_outcome(RUN, NOON, an_outcome(status="FAILED"))
    registry.record_outcome(RUN, NOON, an_outcome(status="PUBLISHED"))

    [recorded] = registry.outcomes(RUN)
    assert recorded.status == "PUBLISHED"


def test_what_runs_did_expires_and_what_detectors_know_does_not(
    account: Account, registry: Registry
) -> None:
    registry.open_run(RUN, NOON)
    registry.record_outcome(RUN, NOON, an_outcome())
    registry.add_model("orders", a_model())

    items = client("dynamodb").scan(TableName=account.table)["Items"]
    expiring = {item["sk"]["S"] for item in items if "expires_at" in item}
    assert expiring == {"RUN", "OUTCOME#orders"}
    attribute = account.stack.properties("Registry")["TimeToLiveSpecification"]["AttributeName"]
    assert attribute == "expires_at"


def test_one_execution_at_a_time_may_notify_of_a_run(registry: Registry) -> None:
    registry.open_run(RUN, NOON)

    assert registry.claim_notification(RUN, "first", NOON) == set()
    assert registry.claim_notification(RUN, "second", NOON) is None


def test_a_retry_of_the_same_execution_may_still_notify(registry: Registry) -> None:
    registry.claim_notification(RUN, "first", NOON)
    assert registry.claim_notification(RUN, "first", NOON) == set()


def test_the_claim_of_an_execution_that_died_lapses(registry: Registry) -> None:
    registry.claim_notification(RUN, "first", NOON)
    assert registry.claim_notification(RUN, "second", NOON + HOUR) == set()


def test_what_was_told_is_remembered_for_the_next_who_may_tell(registry: Registry) -> None:
    registry.claim_notification(RUN, "first", NOON)
    registry.mark_notified(RUN, {"news"})
    assert registry.claim_notification(RUN, "second", NOON) is None

    registry.release_notification(RUN)
    assert registry.claim_notification(RUN, "second", NOON) == {"news"}


def test_a_throttled_write_is_not_taken_for_a_lost_race(registry: Registry) -> None:
    def refuse(**_: Any) -> None:
        raise Throttled("UpdateItem", "ThrottlingException", "slow down")

    with (
        hook(client("dynamodb"), "before-parameter-build.dynamodb.UpdateItem", refuse),
        pytest.raises(Throttled),
    ):
        advance(registry, NOON)


def test_a_run_is_counted_when_it_first_was(registry: Registry) -> None:
    registry.open_run(a_run().id, NOON)
    assert registry.close_run(a_run(), NOON + HOUR) == NOON + HOUR
    assert registry.close_run(a_run(), NOON + 2 * HOUR) == NOON + HOUR


def test_a_run_that_is_opened_anew_is_counted_anew(registry: Registry) -> None:
    """CloudWatch would refuse totals of the first time."""
    registry.open_run(a_run().id, NOON)
    registry.close_run(a_run(), NOON)
    much_later = NOON + timedelta(days=14)

    registry.open_run(a_run().id, much_later)

    assert registry.close_run(a_run(), much_later + HOUR) == much_later + HOUR


def an_event(detector: str, first: datetime, last: datetime, incident: str = "") -> RecordedEvent:
    start, end = format_timestamp(first), format_timestamp(last)
    event = AnomalyEvent(incident or f"{detector}:{start}", start, end, start, 1, 2.0)
    return RecordedEvent(detector, event, RUN)


def found(registry: Registry, since: datetime, until: datetime) -> list[str]:
    return [each.event.id for each in registry.events(since, until)]


def test_events_are_found_by_the_time_that_they_share_with_others(registry: Registry) -> None:
    before, within, across, after = (
        an_event(name, NOON + first * HOUR, NOON + last * HOUR)
        for name, first, last in (("a", -5, -4), ("b", 1, 2), ("c", -3, 1), ("d", 9, 10))
    )
    registry.record_events([before, within, across, after], NOON)

    assert found(registry, NOON, NOON + 8 * HOUR) == [within.event.id, across.event.id]
    assert found(registry, NOON - 4 * HOUR, NOON - 4 * HOUR) == [before.event.id]
    assert found(registry, NOON + 9 * HOUR, NOON + 9 * HOUR) == [after.event.id]


def test_events_that_are_recorded_again_are_no_others(registry: Registry) -> None:
    event = an_event("orders", NOON, NOON + HOUR)
    registry.record_events([event], NOON)
    registry.record_events([event], NOON + HOUR)
    assert registry.events(NOON, NOON) == [event]


def test_an_incident_that_two_windows_saw_is_one(registry: Registry) -> None:
    first = an_event("orders", NOON, NOON + HOUR)
    second = an_event("orders", NOON + 2 * HOUR, NOON + 4 * HOUR, first.event.id)
    registry.record_events([first, second], NOON)

    [incident] = registry.events(NOON, NOON + 5 * HOUR)
    assert (incident.begins, incident.ends) == (NOON, NOON + 4 * HOUR)


def test_the_definition_of_what_was_published_is_kept(registry: Registry) -> None:
    assert registry.detector("orders").detector is None

    registry.advance("orders", NOON, RUN, None, None, None, a_detector().to_payload())

    assert registry.detector("orders").detector == a_detector()
