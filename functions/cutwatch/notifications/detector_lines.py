"""The part of an email that is about one detector."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from cutwatch.console_links import dashboard_url, event_url, logs_url
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.registry.outcome import Outcome
from cutwatch.wording import (
    count,
    end_in_words,
    expected_in_words,
    severity_in_words,
    span_in_words,
    time_in_words,
    value_in_words,
)

# Thirty dimensions of a thousand characters would fill the message.
METRIC_LABEL_LENGTH = 500

_LISTED_EVENTS = 5
# Of an expected value near zero, the share is a number that nobody reads, or infinite.
_LARGEST_SHARE = 100


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


def detector_lines(outcome: Outcome, place: StackPlace) -> Iterator[str]:
    """Yield the lines about a detector: metric, events, links, and the command that silences it."""
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


def _event_lines(event: AnomalyEvent, detector: Detector | None) -> Iterator[str]:
    yield f"  Time      {when(event, detector.time_zone if detector else 'UTC')}"
    if event.severity is None or event.value is not None:
        yield f"  Value     {value_in_words(event)}; expected {expected_in_words(event)}{_share(event)}"
    driver = f"; driver: {event.driver}" if event.driver else ""
    yield f"  Severity  {severity_in_words(event)}{driver}"


def _share(event: AnomalyEvent) -> str:
    """Return the deviation as a share of the expected value, unless that is too small for one: `, +812%`."""
    if event.value is None or not event.expected:
        return ""
    share = (event.value - event.expected) / abs(event.expected)
    return f", {share:+.0%}" if abs(share) < _LARGEST_SHARE else ""


def when(event: AnomalyEvent, time_zone: str) -> str:
    """Return `Mon 2026-11-02 10:00 to 10:15 Europe/Berlin (09:00 UTC), 15 min`."""
    zone = ZoneInfo(time_zone)
    begins = event.begins.astimezone(zone)
    utc_day = "" if event.begins.date() == begins.date() else f"{event.begins:%a %Y-%m-%d} "
    utc = "" if time_zone == "UTC" else f" ({utc_day}{event.begins:%H:%M} UTC)"
    until = f"{end_in_words(event, zone)} {time_zone}{utc}"
    return f"{begins:%a} {time_in_words(begins, zone)} to {until}, {span_in_words(event.lasts)}"
