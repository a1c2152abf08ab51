from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cutwatch.moments import format_moment
from cutwatch.outcomes import AnomalyEvent
from cutwatch.publication import continued, summary_datums
from cutwatch.registry import LastEvent
from tests.builders import NOON, an_outcome, moments

PERIOD = timedelta(minutes=5)
TIMES = [format_moment(moment) for moment in moments(40)]


def an_event(first: int, last: int, **fields: Any) -> AnomalyEvent:
    start, end = TIMES[first], TIMES[last]
    event = AnomalyEvent(f"orders:{start}", start, end, start, last - first + 1, 2.0)
    return replace(event, **fields)


def told(first: int, last: int) -> LastEvent:
    return LastEvent(f"orders:{TIMES[first]}", TIMES[last])


def test_events_apart_from_each_other_are_new() -> None:
    events = [an_event(3, 5), an_event(9, 12)]
    assert continued(events, told(0, 1), PERIOD) == events


@pytest.mark.parametrize("last", [3, 4, 8])
def test_an_event_within_or_right_after_the_last_one_told_is_the_same_incident(last: int) -> None:
    event = an_event(4, 7)

    assert continued([event], told(0, last), PERIOD) == [
        replace(event, id=f"orders:{TIMES[0]}", continues=True)
    ]


def test_an_event_one_quiet_datapoint_later_is_another_incident() -> None:
    event = an_event(5, 7)
    assert continued([event], told(0, 3), PERIOD) == [event]


def test_an_incident_goes_on_for_as_long_as_it_goes_on() -> None:
    events = [an_event(2, 5), an_event(6, 9), an_event(10, 12)]

    result = continued(events, told(0, 1), PERIOD)

    assert {event.id for event in result} == {f"orders:{TIMES[0]}"}
    assert all(event.continues for event in result)


def test_a_first_event_ever_continues_nothing() -> None:
    event = an_event(0, 3)
    assert continued([event], None, PERIOD) == [event]


@pytest.mark.parametrize("score", [None, 4.2])
def test_the_summary_is_stamped_now_and_has_a_score_only_if_there_is_one(
    score: float | None,
) -> None:
    datums = summary_datums(an_outcome(anomalous_datapoints=3, max_anomaly_score=score), NOON)

    values = {each["MetricName"]: each["Value"] for each in datums}
    assert values == {"AnomalousDatapoints": 3} | ({"MaxAnomalyScore": score} if score else {})
    assert {each["Timestamp"] for each in datums} == {NOON}
    assert all(each["Dimensions"] == [{"Name": "Detector", "Value": "orders"}] for each in datums)
