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
    event = AnomalyEvent(
        incident or f"{detector}:{start}", start, end, start, 1, 2.0, continues=bool(incident)
    )
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
    assert (incident.event.begins, incident.event.ends) == (NOON, NOON + 4 * HOUR)


@pytest.mark.parametrize("hours", [0, 1, 3, 700, 1_099], ids="{} hours in".format)
def test_an_incident_is_the_same_whatever_part_of_it_is_in_the_time_range(
    store: EventStore, hours: int
) -> None:
    """Six windows of eight days saw it; a range may lie in any of them."""
    first = an_event("orders", NOON, NOON + 191 * HOUR)
    begins = [NOON + window * 192 * HOUR for window in range(1, 6)]
    later = [an_event("orders", at, at + 191 * HOUR, first.event.id) for at in begins]
    store.record([first, *later], NOON)

    [incident] = store.between(NOON + hours * HOUR, NOON + hours * HOUR)

    assert (incident.event.begins, incident.event.ends) == (NOON, NOON + 1_151 * HOUR)


def test_parts_of_an_incident_that_lie_outside_the_time_range_bring_no_others_with_them(
    store: EventStore,
) -> None:
    orders = an_event("orders", NOON, NOON + 100 * HOUR)
    more = an_event("orders", NOON + 101 * HOUR, NOON + 150 * HOUR, orders.event.id)
    visits = an_event("visits", NOON + 101 * HOUR, NOON + 102 * HOUR)
    store.record([orders, more, visits], NOON)

    assert found(store, NOON, NOON + HOUR) == [orders.event.id]
