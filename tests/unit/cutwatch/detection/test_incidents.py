from dataclasses import replace
from typing import Any

import pytest

from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.incidents import continue_incidents, news
from cutwatch.detection.incidents import last_event as newest
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


@pytest.mark.parametrize("last", [20, 25, 26, 30])
def test_an_event_within_or_soon_after_the_last_one_is_the_same_incident(last: int) -> None:
    event = an_event(26, 29)

    assert continue_incidents([event], last_event(0, last), PERIOD) == [
        replace(event, id=f"orders:{TIMES[0]}", continues=True)
    ]


def test_an_event_after_more_than_half_a_quiet_hour_is_another_incident() -> None:
    event = an_event(28, 30)
    assert continue_incidents([event], last_event(0, 21), PERIOD) == [event]


def test_a_level_that_changes_further_goes_on_over_hours() -> None:
    event = an_event(28, 30, continues=True)
    assert continue_incidents([event], last_event(0, 3), PERIOD)[0].id == f"orders:{TIMES[0]}"


def test_an_event_without_one_before_it_continues_nothing() -> None:
    event = an_event(28, 30, continues=True)
    assert continue_incidents([event], None, PERIOD) == [replace(event, continues=False)]


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


def test_stretches_of_a_window_that_belong_together_are_one_piece_of_news() -> None:
    events = continue_incidents([an_event(0, 2), an_event(5, 9, severity=4.0)], None, PERIOD)

    [event] = news(events, None)
    assert (event.start, event.end, event.datapoints, event.severity) == (
        TIMES[0],
        TIMES[9],
        8,
        4.0,
    )
    assert newest(events, None) == LastEvent(event.id, TIMES[9], "high", 8)


@pytest.mark.parametrize(("severity", "is_news"), [(1.4, False), (1.6, False), (3.0, True)])
def test_an_incident_that_goes_on_is_news_only_if_it_is_more_severe_than_before(
    severity: float, is_news: bool
) -> None:
    before = newest([an_event(0, 3, severity=1.6)], None)
    [event] = continue_incidents([an_event(4, 9, severity=severity)], before, PERIOD)

    found = news([event], before)

    assert bool(found) == is_news
    assert [(each.start, each.end, each.datapoints) for each in found] == [
        (TIMES[0], TIMES[9], 10)
    ] * is_news
    after = newest([event], before)
    assert after is not None
    assert after.severity == ("high" if is_news else "medium")


def test_of_an_incident_that_an_older_version_recorded_no_severity_is_known() -> None:
    before = last_event(0, 3)
    events = continue_incidents([an_event(4, 9, severity=9.0)], before, PERIOD)
    assert news(events, before) == []


def test_without_events_the_newest_incident_stays() -> None:
    assert newest([], last_event(0, 3)) == last_event(0, 3)
