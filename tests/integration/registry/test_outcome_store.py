"""On DynamoDB as far as moto implements it: conditions and paging are what matters."""

from typing import Any

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.outcome_store import OutcomeStore
from tests.support.account import Account
from tests.support.builders import NOON, an_outcome

RUN = "transform-20261102T120000Z"


@pytest.fixture
def store(account: Account) -> OutcomeStore:
    return account.registry.outcomes


def test_an_outcome_is_read_back_with_its_anomalies(store: OutcomeStore) -> None:
    spike = AnomalyEvent(
        "orders:9", "2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z", "2026-11-02T09:00:00Z", 1, 1 / 3
    )
    outcome = an_outcome(max_anomaly_score=1 / 3, new_events=1, events=(spike,))

    store.record(RUN, NOON, outcome)

    assert store.get(RUN, "orders") == outcome
    assert store.of_run(RUN) == [outcome]
    assert store.of_run("another-run") == []


@pytest.mark.parametrize("success", ["PUBLISHED", "TRAINED"])
@pytest.mark.parametrize("less", ["FAILED", "UP_TO_DATE", "NO_DATA", "TOO_LITTLE_HISTORY"])
def test_a_success_is_never_replaced_by_anything_less(
    store: OutcomeStore, success: Any, less: Any
) -> None:
    store.record(RUN, NOON, an_outcome(status=success))
    store.record(RUN, NOON, an_outcome(status=less))

    [recorded] = store.of_run(RUN)
    assert recorded.status == success


def test_a_failure_is_replaced_by_the_success_of_a_repetition(store: OutcomeStore) -> None:
    store.record(RUN, NOON, an_outcome(status="FAILED"))
    store.record(RUN, NOON, an_outcome(status="PUBLISHED"))

    [recorded] = store.of_run(RUN)
    assert recorded.status == "PUBLISHED"
