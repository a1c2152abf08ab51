from dataclasses import replace
from typing import Any

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.incidents import continue_incidents
from cutwatch.timestamps import format_timestamp
from tests.support.builders import moments

PERIOD = 300
TIMES = [format_timestamp(moment) for moment in moments(60)]


def an_event(first: int, last: int, **fields: Any) -> AnomalyEvent:
    start, end = TIMES[first], TIMES[last]
    event = AnomalyEvent(f"orders:{start}", start, end, start, last - first + 1, 2.0)
    return replace(event, **fields)


def last_event(first: int, last: int) -> LastEvent:
    return LastEvent(f"orders:{TIMES[first]}", TIMES[last])


def test_events_apart_from_each_other_are_new() -> None:
    events = [an_event(26, 28), an_event(53, 55)]
    assert continue_incidents(events, last_event(0, 1), PERIOD) == events


@pytest.mark.parametrize("last", [2, 25, 26, 30])
def test_an_event_within_or_soon_after_the_last_one_is_the_same_incident(last: int) -> None:
    event = an_event(26, 29)

    assert continue_incidents([event], last_event(0, last), PERIOD) == [
        replace(event, id=f"orders:{TIMES[0]}", continues=True)
    ]


def test_an_event_after_more_than_two_quiet_hours_is_another_incident() -> None:
    event = an_event(28, 30)
    assert continue_incidents([event], last_event(0, 3), PERIOD) == [event]


def test_of_a_metric_with_a_long_period_the_next_datapoint_is_soon() -> None:
    event = an_event(40, 41)
    assert continue_incidents([event], last_event(0, 4), 3 * 3_600)[0].continues
    assert not continue_incidents([event], last_event(0, 3), 3 * 3_600)[0].continues


def test_an_incident_goes_on_for_as_long_as_it_goes_on() -> None:
    events = [an_event(2, 5), an_event(6, 9), an_event(10, 12)]

    result = continue_incidents(events, last_event(0, 1), PERIOD)

    assert {event.id for event in result} == {f"orders:{TIMES[0]}"}
    assert all(event.continues for event in result)


def test_a_first_event_ever_continues_nothing() -> None:
    event = an_event(0, 3)
    assert continue_incidents([event], None, PERIOD) == [event]
