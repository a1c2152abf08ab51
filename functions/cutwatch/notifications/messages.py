"""Email messages: what happened, when, how far from the expected value, where to look, how to silence it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cutwatch.aws.limits import (
    METRIC_VISIBILITY_DELAYS,
    SNS_MESSAGE_MAX_BYTES,
    SNS_SUBJECT_MAX_LENGTH,
)
from cutwatch.console_links import dashboard_url, event_url, logs_url
from cutwatch.detection.anomaly_event import SEVERITIES, AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.pending_scores import LONGEST_DELAY
from cutwatch.registry.silences import Silence, silenced_line
from cutwatch.runs.summary import Summary
from cutwatch.wording import (
    count,
    end_in_words,
    expected_in_words,
    number_in_words,
    severity_in_words,
    span_in_words,
    time_in_words,
    value_in_words,
)

# Thirty dimensions of a thousand characters would fill the message.
METRIC_LABEL_LENGTH = 500

_LISTED_DETECTORS = 30
_LISTED_EVENTS = 5
_REASON_LENGTH = 300
# Even the longest names leave half of a message to its text.
_NAMED_IN_ATTRIBUTES = 450


@dataclass(frozen=True)
class StackPlace:
    """The stack, for links and commands."""

    name: str
    region: str
    namespace: str

    @property
    def dashboard(self) -> str:
        """Link to the stack's dashboard."""
        return dashboard_url(self.region, f"{self.name}-{self.region}")

    @property
    def options(self) -> str:
        """Options that select the stack on the command line."""
        return f"--stack {self.name} --region {self.region}"


@dataclass(frozen=True)
class Notification:
    """One message: a subject in ASCII, plain text, and attributes for filter policies."""

    subject: str
    text: str
    attributes: Mapping[str, str | Sequence[str]]

    def to_request(self) -> dict[str, Any]:
        """Return the arguments of SNS's Publish, cut to its limits."""
        attributes = {name: _attribute(value) for name, value in self.attributes.items()}
        room = SNS_MESSAGE_MAX_BYTES - len(json.dumps(attributes))
        return {
            "Subject": self.subject[:SNS_SUBJECT_MAX_LENGTH],
            "Message": self.text.encode()[:room].decode(errors="ignore"),
            "MessageAttributes": attributes,
        }


def _attribute(value: str | Sequence[str]) -> dict[str, str]:
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": json.dumps(list(value))}


def of_anomalies(
    summary: Summary,
    found: Sequence[Outcome],
    place: StackPlace,
    silences: Sequence[Silence] = (),
) -> Notification:
    """Write the message about the new events of `found`, the most severe first."""
    worst, others = found[0], len(found) - 1
    more = f", and {count(others, 'more detector')}" if others else ""
    word, headline = worst.gravest.severity_word, _headline(worst)
    lines = [f"{headline}{more} (severity: {severity_in_words(worst.gravest)})."]
    for outcome in found[:_LISTED_DETECTORS]:
        lines += ["", *_detector_lines(outcome, place)]
    lines += _left_out(found, "with anomalies")
    lines += _pending_scores(summary, found)
    lines += ["", silenced_line(silences)] if silences else []
    lines += ["", f"Transform of {_utc(summary.run.scheduled)}."]
    lines += [f"Dashboard: {place.dashboard}"]
    return Notification(
        f"Cutwatch {word}: {headline}{more}",
        "\n".join(lines),
        {
            "kind": "anomalies",
            "severity": word,
            **_detectors_by_severity(found),
            **_shared_attributes(summary, found),
        },
    )


def _pending_scores(summary: Summary, found: Sequence[Outcome]) -> list[str]:
    """Say that graphs lack the scores of events that are published too late to be readable at once."""
    youngest = summary.run.opened_at - min(METRIC_VISIBILITY_DELAYS)
    if not any(e.begins <= youngest for each in found for e in each.events):
        return []
    hours = LONGEST_DELAY // timedelta(hours=1)
    return [
        "",
        f"The graphs mark each anomaly; their score series follows within {hours} hours.",
    ]


def of_failures(summary: Summary, failed: Sequence[Outcome], place: StackPlace) -> Notification:
    """Write the message about failed detectors."""
    kind = summary.run.kind
    names = ", ".join(outcome.detector for outcome in failed)
    of_all = f"{len(failed)} of {count(len(summary.outcomes), 'detector')}"
    lines = [f"{kind.capitalize()} of {_utc(summary.run.scheduled)}: {of_all} failed.", ""]
    lines += [f"{o.detector}: {o.message[:_REASON_LENGTH]}" for o in failed[:_LISTED_DETECTORS]]
    lines += _left_out(failed, "that failed")
    lines += [
        "",
        "The next run resumes where each detector stopped: it skips no datapoint and publishes none twice.",
        f"Current status: cutwatch status --problems {place.options}",
        f"Dashboard: {place.dashboard}",
    ]
    return Notification(
        f"Cutwatch: {kind} failed for {count(len(failed), 'detector')}: {names}",
        "\n".join(lines),
        {"kind": "failures", **_shared_attributes(summary, failed)},
    )


def _detectors_by_severity(found: Sequence[Outcome]) -> dict[str, list[str]]:
    """Return for each severity the detectors with such an event, for policies on both at once."""
    named = found[:_NAMED_IN_ATTRIBUTES]
    by_severity = {
        severity: [
            outcome.detector
            for outcome in named
            if any(event.severity_word == severity for event in outcome.events)
        ]
        for severity in SEVERITIES
    }
    return {severity: names for severity, names in by_severity.items() if names}


def _shared_attributes(summary: Summary, detectors: Sequence[Outcome]) -> dict[str, Any]:
    names = [outcome.detector for outcome in detectors[:_NAMED_IN_ATTRIBUTES]]
    return {"detector": names, "run": summary.run.id}


def _headline(outcome: Outcome) -> str:
    event = outcome.gravest
    if event.severity is None:
        return f"{outcome.detector} has no data"
    if event.value is None or event.expected is None:
        return f"{outcome.detector} is anomalous"
    return f"{outcome.detector} at {number_in_words(event.value)}, expected {number_in_words(event.expected)}"


def _detector_lines(outcome: Outcome, place: StackPlace) -> Iterator[str]:
    detector = Detector.from_payload(outcome.definition) if outcome.definition else None
    yield f"{outcome.detector}: {outcome.message}"
    if detector:
        period = span_in_words(timedelta(seconds=detector.period))
        yield f"  Metric    {detector.metric_label[:METRIC_LABEL_LENGTH]}, every {period}"
    listed = outcome.events[:_LISTED_EVENTS]
    for event in listed:
        yield from _event_lines(event, detector)
    if detector:
        yield from _links(detector, listed, place)
    yield from _outage(outcome, detector)
    hidden = outcome.new_events - len(listed)
    if hidden > 0:
        yield f"  and {count(hidden, 'more event')}: cutwatch events {outcome.detector} {place.options}"
    yield f'  Silence   cutwatch silence {outcome.detector} --for 1d --reason "..." {place.options}'


def _links(detector: Detector, events: Sequence[AnomalyEvent], place: StackPlace) -> Iterator[str]:
    """Yield one link to the metric, around all events, and one to the logs at the time of the most severe event."""
    worst = events[0]
    first, last = min(each.begins for each in events), max(each.ends for each in events)
    span = (worst.begins, worst.ends)
    yield f"  Graph     {event_url(place.region, detector, first, last, span)}"
    if detector.log_group:
        yield f"  Logs      {logs_url(place.region, detector.log_group, *span)}"


def _outage(outcome: Outcome, detector: Detector | None) -> Iterator[str]:
    """Mention a time without data that is not an event, and how to be notified of the next one."""
    if outcome.outage is None or detector is None:
        return
    gap = replace(outcome.events[0], start=outcome.outage[0], end=outcome.outage[1])
    gap = replace(gap, period_seconds=detector.period)
    yield f"  No data   {when(gap, detector.time_zone)}; missing_data: anomalous makes it an event"


def _event_lines(event: AnomalyEvent, detector: Detector | None) -> Iterator[str]:
    yield f"  Time      {when(event, detector.time_zone if detector else 'UTC')}"
    if event.severity is None or event.value is not None:
        yield f"  Value     {value_in_words(event)}; expected {expected_in_words(event)}{_share(event)}"
    driver = f"; driver: {event.driver}" if event.driver else ""
    yield f"  Severity  {severity_in_words(event)}{driver}"


def _share(event: AnomalyEvent) -> str:
    """Return the deviation as a share of the expected value: `, +812%`."""
    if event.value is None or not event.expected:
        return ""
    return f", {(event.value - event.expected) / abs(event.expected):+.0%}"


def when(event: AnomalyEvent, time_zone: str) -> str:
    """Return `Mon 2026-11-02 10:00 to 10:15 Europe/Berlin (09:00 UTC), 15 min`."""
    zone = ZoneInfo(time_zone)
    begins = event.begins.astimezone(zone)
    utc_day = "" if event.begins.date() == begins.date() else f"{event.begins:%a %Y-%m-%d} "
    utc = "" if time_zone == "UTC" else f" ({utc_day}{event.begins:%H:%M} UTC)"
    until = f"{end_in_words(event, zone)} {time_zone}{utc}"
    return f"{begins:%a} {time_in_words(begins, zone)} to {until}, {span_in_words(event.lasts)}"


def _left_out(outcomes: Sequence[Outcome], description: str) -> list[str]:
    hidden = len(outcomes) - _LISTED_DETECTORS
    return ["", f"and {count(hidden, 'more detector')} {description}"] if hidden > 0 else []


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
