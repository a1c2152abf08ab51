"""Changes of a live detector's incidents from one run to the next: began, escalated, ended, resumed.

An incident keeps the id under which it was first notified: detector and first datapoint, as in a transform.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cutwatch.detection.anomaly_event import (
    SEVERITIES,
    AnomalyEvent,
    LastEvent,
    event_start,
)
from cutwatch.detection.incidents import (
    incident_pause,
    joined_incidents,
    whole_incident,
    with_known_ids,
)
from cutwatch.live.live_incident import IncidentChange, Incidents, LiveIncident

# An incident that was over for longer when it is first seen, because the rule was off, is left to the next transform.
NEWS_AGE = timedelta(days=1)
# Why an incident is withdrawn
_CORRECTED = "later datapoints do not confirm it"
_RESTARTED = "the detector's new entry or model does not confirm it"
# Incidents that are over are remembered for this long, or as long as their window.
_REMEMBERED = timedelta(days=2)


@dataclass(frozen=True)
class Situation:
    """The window from `start` through the watermark, the newest incident `before` it, and the period in seconds.

    Every datapoint from `outside_since` on lies outside its expected range; None if the last one does not. `restarted` is
    True in the first run after another entry, model or transform.
    """

    start: datetime
    through: datetime
    now: datetime
    period: int
    before: LastEvent | None = None
    outside_since: datetime | None = None
    restarted: bool = False

    @property
    def soon(self) -> timedelta:
        """The time after an incident's end within which another datapoint belongs to it."""
        return incident_pause(self.period)

    def lasts(self, event: AnomalyEvent) -> bool:
        """Return True if an incident is not over."""
        if self.outside_since is not None and self.outside_since <= event.ends:
            return True
        return self.through - event.ends <= self.soon


def incident_changes(
    events: Sequence[AnomalyEvent], known: Mapping[str, LiveIncident], at: Situation
) -> tuple[list[IncidentChange], Incidents]:
    """Return what has changed, and the incidents to know in the next run.

    `events` are those of the window, with their incidents' ids.
    """
    known = _with_earlier(known, at.before)
    whole = [whole_incident(event, at.before) for event in joined_incidents(events)]
    near = [each.event for each in known.values() if each.event.ends >= at.start]
    current = {event.id: event for event in with_known_ids(whole, near, at.soon)}
    after, changes = dict(known), []
    for event in current.values():
        found = [*_of_current(event, known.get(event.id), at)]
        if found or event.id in known:
            after[event.id] = _updated(event, known.get(event.id), at)
        changes += found
    for name, each in known.items():
        if name not in current and (change := _of_left(each, [*current.values()], at)):
            after[name] = replace(each, ended=True)
            changes.append(change)
    return changes, _remembered(after, at)


def _of_current(
    event: AnomalyEvent, known: LiveIncident | None, at: Situation
) -> Iterator[IncidentChange]:
    lasts = at.lasts(event)
    if known is None:
        if at.now - event.ends > NEWS_AGE:
            return
        yield IncidentChange("began", event)
    elif known.ended and lasts:
        yield IncidentChange("resumed", event)
    if known and _is_worse(event, known):
        yield IncidentChange("escalated", event)
    if not lasts and not (known and known.ended):
        yield IncidentChange("ended", event)


def _of_left(
    known: LiveIncident, current: Sequence[AnomalyEvent], at: Situation
) -> IncidentChange | None:
    """Return the end of an incident that is not among those of the window."""
    event = known.event
    withdrawn = event.begins >= at.start
    if known.ended or not (withdrawn or not at.lasts(event)):
        return None
    if not withdrawn:
        return IncidentChange("ended", event)
    whole = next((e for e in current if e.begins <= event.ends and event.begins <= e.ends), None)
    if whole:
        reason = f"it is part of the incident that began at {whole.begins:%Y-%m-%d %H:%M} UTC"
        return IncidentChange("ended", event, withdrawn=True, joined=True, reason=reason)
    reason = _RESTARTED if at.restarted else _CORRECTED
    return IncidentChange("ended", event, withdrawn=True, reason=reason)


def _updated(event: AnomalyEvent, known: LiveIncident | None, at: Situation) -> LiveIncident:
    severity = event.severity_word
    if known:
        severity = max(severity, known.severity, key=SEVERITIES.index)
    return LiveIncident(event, severity, ended=not at.lasts(event))


def _remembered(known: Mapping[str, LiveIncident], at: Situation) -> Incidents:
    oldest = min(at.start, at.through - _REMEMBERED)
    return {
        name: each for name, each in known.items() if not each.ended or each.event.ends >= oldest
    }


def _with_earlier(
    known: Mapping[str, LiveIncident], before: LastEvent | None
) -> Mapping[str, LiveIncident]:
    """Add the newest incident before the window, which a transform notified if no live run did."""
    if before is None or before.severity is None or before.id in known:
        return known
    start = event_start(before.id)
    event = AnomalyEvent(before.id, start, before.end, start, max(before.datapoints, 1))
    return {**known, before.id: LiveIncident(event, before.severity, ended=True)}


def _is_worse(event: AnomalyEvent, known: LiveIncident) -> bool:
    return SEVERITIES.index(event.severity_word) > SEVERITIES.index(known.severity)
