"""Waits for a quota, as `cutwatch status` reads them."""

from datetime import timedelta

from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.quota_waits import LONGEST_WAIT, QuotaWait, still_waiting
from cutwatch_cli.stacks.detector_status import status_of
from tests.support.builders import NOON, a_model
from tests.support.definitions import all_states, definition

WAIT = QuotaWait(
    "orders",
    "training-20261101T030000Z",
    "ml.m5.large",
    NOON,
    "CreateTrainingJob: the limit 'ml.m5.large for training job usage' is 1 Instances",
)


def test_a_wait_comes_back_from_the_registry_as_it_was() -> None:
    assert QuotaWait.from_item(WAIT.to_item()) == WAIT


def test_a_wait_is_shown_for_as_long_as_the_state_machines_retry() -> None:
    for machine in ("training", "transform"):
        for _, state in all_states(definition(machine)):
            for retrier in state.get("Retry", []):
                if retrier["ErrorEquals"] == ["QuotaExceeded"]:
                    assert _longest(retrier) < LONGEST_WAIT


def _longest(retrier: dict[str, float]) -> timedelta:
    waits = (
        min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** n, retrier["MaxDelaySeconds"])
        for n in range(int(retrier["MaxAttempts"]))
    )
    return timedelta(seconds=sum(waits))


def test_a_wait_that_an_aborted_execution_left_is_not_shown() -> None:
    assert still_waiting([WAIT], NOON + timedelta(hours=7)) == [WAIT]
    assert still_waiting([WAIT], NOON + LONGEST_WAIT) == []


def test_a_detector_s_wait_is_its_first_problem() -> None:
    record = DetectorRecord("orders", models=(a_model(),), published_through=None)
    found = status_of(record, [], 0, None, WAIT, NOON + timedelta(minutes=12), timedelta(days=14))

    assert found.problems[0] == (
        "training of 2026-11-01 03:00 has waited 12 min (since "
        f"{NOON:%Y-%m-%d %H:%M}) for a quota of ml.m5.large: {WAIT.message}"
    )
    assert found.to_payload(NOON)["waiting_for_quota"]["instance_type"] == "ml.m5.large"
