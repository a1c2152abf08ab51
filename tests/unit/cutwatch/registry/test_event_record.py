from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent, incidents
from cutwatch.timestamps import format_timestamp
from tests.support.builders import moments

TIMES = [format_timestamp(moment) for moment in moments(120)]


def a_part(first: int, last: int, incident: int | None = None, **fields: Any) -> RecordedEvent:
    """A part from one moment to another; by default the incident's first."""
    begins = first if incident is None else incident
    event = AnomalyEvent(
        f"orders:{TIMES[begins]}", TIMES[first], TIMES[last], TIMES[first], last - first + 1, 2.0,
        continues=incident is not None,
    )  # fmt: skip
    return RecordedEvent("orders", replace(event, **fields), "a run")


def test_the_parts_of_an_incident_are_one_event_as_severe_as_its_most_severe_part() -> None:
    first, graver = a_part(0, 9), a_part(10, 19, 0, severity=3.5, value=912.0)

    [incident] = incidents([graver, first])

    assert incident.event == replace(
        first.event, end=TIMES[19], datapoints=20, severity=3.5, value=912.0, peak_time=TIMES[10]
    )


def test_datapoints_that_two_windows_judged_count_once() -> None:
    [incident] = incidents([a_part(0, 9), a_part(5, 19, 0)])
    assert incident.event.datapoints == 20

    [incident] = incidents([a_part(0, 9), a_part(5, 8, 0)])
    assert (incident.event.datapoints, incident.event.end) == (10, TIMES[9])


def test_silence_is_graver_than_any_score() -> None:
    [incident] = incidents([a_part(0, 9, severity=9.0), a_part(10, 19, 0, severity=None)])
    assert incident.event.severity is None


def test_the_newest_incident_comes_first() -> None:
    assert incidents([a_part(0, 1), a_part(50, 51)]) == [a_part(50, 51), a_part(0, 1)]


def test_incidents_of_two_detectors_at_once_stay_two() -> None:
    other = a_part(0, 3)
    other = RecordedEvent("visits", replace(other.event, id=f"visits:{TIMES[0]}"), "a run")
    assert len(incidents([a_part(0, 3), other])) == 2


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=8))
def test_whatever_the_parts_their_incident_spans_them_all_and_counts_no_datapoint_twice(
    spans: list[tuple[int, int]],
) -> None:
    parts = [a_part(first, first + length, 0) for first, length in spans]

    [incident] = incidents(parts)

    assert incident.event.begins == min(part.event.begins for part in parts)
    assert incident.event.ends == max(part.event.ends for part in parts)
    covered = {n for first, length in spans for n in range(first, first + length + 1)}
    assert incident.event.datapoints == len(covered)


def test_what_is_recorded_is_read_back_as_it_was() -> None:
    part = a_part(3, 9, severity=None)
    assert RecordedEvent.from_item(part.to_item()) == part
