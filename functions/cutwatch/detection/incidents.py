"""Incidents: events of successive windows that belong together."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from cutwatch.detection.adaptive_threshold import DEFAULT
from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.timestamps import parse_timestamp


def continue_incidents(
    events: Sequence[AnomalyEvent], before: LastEvent | None, period: int
) -> list[AnomalyEvent]:
    """Give events that begin within or soon after the one before them its id, and mark them as continuing it.

    `before` is the last event of earlier windows, `period` the detector's in seconds.
    """
    soon = timedelta(seconds=max(DEFAULT.same_incident_seconds, period))
    last = before
    result: list[AnomalyEvent] = []
    for event in events:
        if last and parse_timestamp(event.start) <= parse_timestamp(last.end) + soon:
            result.append(replace(event, id=last.id, continues=True))
        else:
            result.append(event)
        last = LastEvent(result[-1].id, result[-1].end)
    return result
