"""Incidents: events of successive windows that belong together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.parameters import DEFAULT
from cutwatch.timestamps import parse_timestamp


def continue_incidents(
    events: Sequence[AnomalyEvent], before: LastEvent | None, period: int
) -> list[AnomalyEvent]:
    """Give events that begin within or soon after the one before them its id, and mark them as continuing it.

    `before` is the last event of earlier windows, `period` the detector's in seconds. An event that `continues` already
    is one whose own channel was above its cutoff shortly before the window.
    """
    soon = timedelta(seconds=max(DEFAULT.same_incident_seconds, period))
    longer = timedelta(seconds=max(DEFAULT.same_level_seconds, period))
    last = before
    result: list[AnomalyEvent] = []
    for event in events:
        within = longer if event.continues and not result else soon
        if last and parse_timestamp(event.start) <= parse_timestamp(last.end) + within:
            result.append(replace(event, id=last.id, continues=True))
        else:
            result.append(replace(event, continues=False))
        last = LastEvent(result[-1].id, result[-1].end)
    return result
