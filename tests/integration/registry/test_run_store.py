"""On DynamoDB as far as moto implements it: conditions and paging are what matters."""

from datetime import timedelta

import pytest

from cutwatch.registry.run_store import RunStore
from tests.support.account import Account
from tests.support.builders import NOON, a_run

RUN = "transform-20261102T120000Z"
HOUR = timedelta(hours=1)


@pytest.fixture
def store(account: Account) -> RunStore:
    return account.registry.runs


def test_a_runs_now_is_that_of_its_first_execution(store: RunStore) -> None:
    assert store.open(RUN, NOON) == NOON
    assert store.open(RUN, NOON + HOUR) == NOON


@pytest.mark.parametrize(("days", "reopened"), [(12, False), (14, True)])
def test_a_runs_now_is_renewed_once_cloudwatch_would_refuse_it(
    store: RunStore, days: int, reopened: object
) -> None:
    store.open(RUN, NOON)
    later = NOON + timedelta(days=days)

    assert (store.open(RUN, later) == later) is reopened


def test_a_run_is_counted_when_it_first_was(store: RunStore) -> None:
    store.open(a_run().id, NOON)
    assert store.close(a_run(), NOON + HOUR) == NOON + HOUR
    assert store.close(a_run(), NOON + 2 * HOUR) == NOON + HOUR


def test_a_run_that_is_opened_anew_is_counted_anew(store: RunStore) -> None:
    """CloudWatch would refuse totals of the first time."""
    store.open(a_run().id, NOON)
    store.close(a_run(), NOON)
    much_later = NOON + timedelta(days=14)

    store.open(a_run().id, much_later)

    assert store.close(a_run(), much_later + HOUR) == much_later + HOUR
