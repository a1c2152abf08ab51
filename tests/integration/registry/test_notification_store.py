"""On DynamoDB as far as moto implements it: conditions and paging are what matters."""

from datetime import timedelta

import pytest

from cutwatch.registry.notification_store import NotificationStore
from tests.support.account import Account
from tests.support.builders import NOON

RUN = "transform-20261102T120000Z"
HOUR = timedelta(hours=1)


@pytest.fixture
def store(account: Account) -> NotificationStore:
    return account.registry.notifications


def test_one_execution_at_a_time_may_notify_of_a_run(
    account: Account, store: NotificationStore
) -> None:
    account.registry.runs.open(RUN, NOON)

    assert store.claim(RUN, "first", NOON) == set()
    assert store.claim(RUN, "second", NOON) is None


def test_a_retry_of_the_same_execution_may_still_notify(store: NotificationStore) -> None:
    store.claim(RUN, "first", NOON)
    assert store.claim(RUN, "first", NOON) == set()


def test_the_claim_of_an_execution_that_died_lapses(store: NotificationStore) -> None:
    store.claim(RUN, "first", NOON)
    assert store.claim(RUN, "second", NOON + HOUR) == set()


def test_what_was_notified_is_remembered_for_the_next_who_may_notify(
    store: NotificationStore,
) -> None:
    store.claim(RUN, "first", NOON)
    store.mark(RUN, {"news"})
    assert store.claim(RUN, "second", NOON) is None

    store.release(RUN)
    assert store.claim(RUN, "second", NOON) == {"news"}
