"""On DynamoDB as far as moto implements it: conditions and paging are what matters."""

from datetime import datetime, timedelta

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.event_store import EventStore
from cutwatch.timestamps import format_timestamp
from tests.support.account import Account
from tests.support.builders import NOON

RUN = "transform-20261102T120000Z"
HOUR = timedelta(hours=1)


@pytest.fixture
def store(account: Account) -> EventStore:
    return account.registry.events


def an_event(detector: str, first: datetime, last: datetime, incident: str = "") -> RecordedEvent:
    start, end = format_timestamp(first), format_timestamp(last)
    event = AnomalyEvent(incident or f"{detector}:{start}", start, end, start, 1, 2.0)
    return RecordedEvent(detector, event, RUN)


def found(store: EventStore, since: datetime, until: datetime) -> list[str]:
    return [each.event.id for each in store.between(since, until)]


def test_events_are_found_by_the_time_that_they_share_with_others(store: EventStore) -> None:
    before, within, across, after = (
        an_event(name, NOON + first * HOUR, NOON + last * HOUR)
        for name, first, last in (("a", -5, -4), ("b", 1, 2), ("c", -3, 1), ("d", 9, 10))
    )
    store.record([before, within, across, after], NOON)

    assert found(store, NOON, NOON + 8 * HOUR) == [within.event.id, across.event.id]
    assert found(store, NOON - 4 * HOUR, NOON - 4 * HOUR) == [before.event.id]
    assert found(store, NOON + 9 * HOUR, NOON + 9 * HOUR) == [after.event.id]


def test_events_that_are_recorded_again_are_no_others(store: EventStore) -> None:
    event = an_event("orders", NOON, NOON + HOUR)
    store.record([event], NOON)
    store.record([event], NOON + HOUR)
    assert store.between(NOON, NOON) == [event]


def test_an_incident_that_two_windows_saw_is_one(store: EventStore) -> None:
    first = an_event("orders", NOON, NOON + HOUR)
    second = an_event("orders", NOON + 2 * HOUR, NOON + 4 * HOUR, first.event.id)
    store.record([first, second], NOON)

    [incident] = store.between(NOON, NOON + 5 * HOUR)
    assert (incident.begins, incident.ends) == (NOON, NOON + 4 * HOUR)
