"""Changes of incidents from one run to the next."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.live.incident_changes import Situation, incident_changes
from cutwatch.live.live_incident import IncidentChange, Incidents
from cutwatch.timestamps import format_timestamp
from tests.support.builders import NOON

MINUTES = timedelta(minutes=1)


def event(first: int, last: int, severity: float = 2.0, name: str | None = None) -> AnomalyEvent:
    """An event of five-minute datapoints, by the minutes of its first and last after noon."""
    start, end = (format_timestamp(NOON + minutes * MINUTES) for minutes in (first, last))
    return AnomalyEvent(
        f"orders:{name or start}",
        start,
        end,
        start,
        (last - first) // 5 + 1,
        severity,
        period_seconds=300,
    )


def situation(through: int, **fields: Any) -> Situation:
    known: dict[str, Any] = {
        "start": NOON,
        "through": NOON + through * MINUTES,
        "now": NOON + (through + 2) * MINUTES,
        "period": 300,
    }
    return Situation(**(known | fields))


def kinds(changes: list[IncidentChange]) -> list[str]:
    return ["withdrawn" if each.withdrawn else each.kind for each in changes]


def run(
    events: list[AnomalyEvent], known: Incidents, through: int, **fields: Any
) -> tuple[list[str], Incidents]:
    changes, after = incident_changes(events, known, situation(through, **fields))
    return kinds(changes), after


def test_an_incident_begins_escalates_and_ends() -> None:
    found, known = run([event(0, 0, 1.2)], {}, 5)
    assert found == ["began"]
    found, known = run([event(0, 5, 1.3)], known, 10)
    assert found == []
    found, known = run([event(0, 10, 3.5)], known, 15)
    assert found == ["escalated"]
    found, known = run([event(0, 10, 3.5)], known, 45)
    assert found == []
    found, known = run([event(0, 10, 3.5)], known, 50)
    assert found == ["ended"]
    assert run([event(0, 10, 3.5)], known, 55)[0] == []


def test_an_incident_lasts_while_the_metric_stays_outside_its_expected_range() -> None:
    _, known = run([event(0, 0)], {}, 5)
    outside = NOON
    assert run([event(0, 0)], known, 120, outside_since=outside)[0] == []
    assert run([event(0, 0)], known, 120, outside_since=NOON + 60 * MINUTES)[0] == ["ended"]


def test_an_incident_that_goes_on_after_its_end_is_resumed() -> None:
    _, known = run([event(0, 0)], {}, 5)
    found, known = run([event(0, 0)], known, 60)
    assert found == ["ended"]
    found, known = run([event(0, 60)], known, 65)
    assert found == ["resumed"]
    assert run([event(0, 60)], known, 120)[0] == ["ended"]


def test_what_begins_and_ends_between_two_runs_is_one_notification_of_each() -> None:
    assert run([event(0, 10)], {}, 300)[0] == ["began", "ended"]


def test_what_was_over_for_more_than_a_day_is_not_news() -> None:
    assert run([event(0, 10)], {}, 15 + 24 * 60) == ([], {})


def test_an_incident_whose_beginning_moves_keeps_its_id() -> None:
    _, known = run([event(5, 10)], {}, 15)
    found, after = run([event(0, 15)], known, 20)
    assert found == []
    assert list(after) == [event(5, 5).id]


def test_an_incident_that_becomes_part_of_another_is_withdrawn() -> None:
    _, known = run([event(0, 5), event(60, 65)], {}, 70)
    found, after = run([event(0, 70)], known, 75)
    assert found == ["resumed", "withdrawn"]
    assert [name for name, each in after.items() if not each.ended] == [event(0, 0).id]


def test_an_incident_that_corrected_datapoints_do_not_confirm_is_withdrawn_once() -> None:
    _, known = run([event(0, 0)], {}, 5)
    found, known = run([], known, 10)
    assert found == ["withdrawn"]
    assert run([], known, 15)[0] == []


def test_an_incident_of_the_window_before_ends_without_being_withdrawn() -> None:
    _, known = run([event(0, 10)], {}, 15)
    later = {"start": NOON + 15 * MINUTES}
    assert run([], known, 30, **later)[0] == []
    assert run([], known, 50, **later)[0] == ["ended"]


def test_an_incident_that_a_transform_has_notified_is_only_resumed() -> None:
    before = LastEvent(event(-20, 0).id, format_timestamp(NOON - 5 * MINUTES), "medium", 4)
    part = replace(event(0, 5, name=format_timestamp(NOON - 20 * MINUTES)), continues=True)
    found, known = run([part], {}, 10, before=before)
    assert found == ["resumed"]
    worse = replace(part, severity=4.0)
    assert run([worse], known, 15, before=before)[0] == ["escalated"]


def test_old_incidents_are_forgotten() -> None:
    _, known = run([event(0, 0)], {}, 60)
    start: datetime = NOON + timedelta(days=7)
    assert run([], known, 8 * 24 * 60, start=start)[1] == {}
