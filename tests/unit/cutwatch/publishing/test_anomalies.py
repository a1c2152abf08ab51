from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.scored_window import Verdicts
from cutwatch.publishing.anomalies import continued, most_together, summary_datums
from cutwatch.registry.detector_record import LastEvent
from cutwatch.timestamps import format_timestamp
from tests.support.builders import NOON, an_outcome, moments

PERIOD = 300
TIMES = [format_timestamp(moment) for moment in moments(60)]


def an_event(first: int, last: int, **fields: Any) -> AnomalyEvent:
    start, end = TIMES[first], TIMES[last]
    event = AnomalyEvent(f"orders:{start}", start, end, start, last - first + 1, 2.0)
    return replace(event, **fields)


def told(first: int, last: int) -> LastEvent:
    return LastEvent(f"orders:{TIMES[first]}", TIMES[last])


def test_events_apart_from_each_other_are_new() -> None:
    events = [an_event(26, 28), an_event(53, 55)]
    assert continued(events, told(0, 1), PERIOD) == events


@pytest.mark.parametrize("last", [2, 25, 26, 30])
def test_an_event_within_or_soon_after_the_last_one_told_is_the_same_incident(last: int) -> None:
    event = an_event(26, 29)

    assert continued([event], told(0, last), PERIOD) == [
        replace(event, id=f"orders:{TIMES[0]}", continues=True)
    ]


def test_an_event_after_more_than_two_quiet_hours_is_another_incident() -> None:
    event = an_event(28, 30)
    assert continued([event], told(0, 3), PERIOD) == [event]


def test_of_a_metric_with_a_long_period_the_next_datapoint_is_soon() -> None:
    event = an_event(40, 41)
    assert continued([event], told(0, 4), 3 * 3_600)[0].continues
    assert not continued([event], told(0, 3), 3 * 3_600)[0].continues


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


def judged(*minutes: int) -> Verdicts:
    """Datapoints of every minute of two hours, anomalous at some of them."""
    epochs = np.arange(120) * 60
    anomalies = np.isin(np.arange(120), minutes).astype(np.int64)
    nothing = np.full(120, np.nan)
    return Verdicts(epochs, anomalies, nothing, nothing, (), 0.0)


@pytest.mark.parametrize(
    ("minutes", "together"),
    [
        ((), 0),
        ((7,), 1),
        ((0, 14), 2),
        ((0, 15), 1),
        (tuple(range(30)), 15),
        ((1, 2, 3, 40, 41), 3),
    ],
)
def test_anomalous_datapoints_are_counted_within_the_minutes_that_an_alarm_asks_for(
    minutes: tuple[int, ...], together: int
) -> None:
    assert most_together(judged(*minutes), timedelta(minutes=15)) == together


@given(st.sets(st.integers(0, 119)), st.integers(1, 130))
def test_no_stretch_of_that_length_has_more_of_them(minutes: set[int], span: int) -> None:
    most = most_together(judged(*minutes), timedelta(minutes=span))
    assert most == max(sum(start <= m < start + span for m in minutes) for start in range(120))
