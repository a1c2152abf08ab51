"""Incidents: events of successive windows that belong together."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cutwatch.detection.anomaly_event import (
    SEVERITIES,
    AnomalyEvent,
    LastEvent,
    event_start,
)
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


def news(events: Sequence[AnomalyEvent], before: LastEvent | None) -> list[AnomalyEvent]:
    """Return a window's incidents that are new, and the one of earlier windows if it has become more severe.

    The latter, which `continues`, has all of its datapoints.
    """
    return [
        event
        for each in joined_incidents(events)
        if not (event := whole_incident(each, before)).continues or _is_worse(event, before)
    ]


def last_event(events: Sequence[AnomalyEvent], before: LastEvent | None) -> LastEvent | None:
    """Return the newest incident after a window with these events."""
    if not events:
        return before
    event = whole_incident(joined_incidents(events)[-1], before)
    severity = event.severity_word
    if before and before.id == event.id and before.severity:
        severity = max(severity, before.severity, key=SEVERITIES.index)
    return LastEvent(event.id, event.end, severity, event.datapoints)


def whole_incident(event: AnomalyEvent, before: LastEvent | None) -> AnomalyEvent:
    """Extend a window's part of the incident `before` to its beginning."""
    if not (event.continues and before and before.id == event.id and before.datapoints):
        return event
    datapoints = before.datapoints + _datapoints_after(event, parse_timestamp(before.end))
    return replace(event, start=event_start(event.id), datapoints=datapoints)


def _is_worse(event: AnomalyEvent, before: LastEvent | None) -> bool:
    if not (before and before.severity and before.id == event.id):
        return False
    return SEVERITIES.index(event.severity_word) > SEVERITIES.index(before.severity)


def joined_incidents(parts: Iterable[AnomalyEvent]) -> list[AnomalyEvent]:
    """Join the parts of each incident, given in order of time; return one event per incident, in order of time."""
    found: dict[str, AnomalyEvent] = {}
    for part in parts:
        known = found.get(part.id)
        found[part.id] = joined(known, part) if known else part
    return list(found.values())


def joined(earlier: AnomalyEvent, later: AnomalyEvent) -> AnomalyEvent:
    """Join two parts of an incident: from the first datapoint to the last, with the facts of the more severe part."""
    last = max(earlier, later, key=lambda event: event.ends)
    return replace(
        max(earlier, later, key=lambda event: event.comparable_severity),
        start=earlier.start,
        end=last.end,
        period_seconds=last.period_seconds,
        datapoints=earlier.datapoints + _datapoints_after(later, parse_timestamp(earlier.end)),
        continues=earlier.continues,
    )


def _datapoints_after(part: AnomalyEvent, end: datetime) -> int:
    """Count a part's datapoints, one per period, after `end`: a window classifies the end of the one before again."""
    first, last = parse_timestamp(part.start), parse_timestamp(part.end)
    if first > end:
        return part.datapoints
    if last <= end:
        return 0
    return round((part.datapoints - 1) * ((last - end) / (last - first)))


def incident_pause(period: int) -> timedelta:
    """Return the time after an incident's end within which another datapoint belongs to it; `period` is in seconds."""
    return timedelta(seconds=max(DEFAULT.same_incident_seconds, period))


def with_known_ids(
    events: Sequence[AnomalyEvent], known: Collection[AnomalyEvent], soon: timedelta
) -> list[AnomalyEvent]:
    """Give an incident the id under which it was notified, where a known one overlaps that is not among the events.

    Corrected datapoints, or another model, can move an incident's first datapoint.
    """
    own, ids = {event.id for event in events}, {each.id for each in known}
    lost = [each for each in known if each.id not in own]
    result: list[AnomalyEvent] = []
    for event in events:
        match = next((each for each in lost if _overlap(each, event, soon)), None)
        if match is None or event.id in ids:
            result.append(event)
        else:
            lost.remove(match)
            result.append(replace(event, id=match.id))
    return result


def _overlap(known: AnomalyEvent, event: AnomalyEvent, soon: timedelta) -> bool:
    return event.begins <= known.ends + soon and known.begins <= event.ends + soon
