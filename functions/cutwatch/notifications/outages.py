"""The part of an email that is about unusual times without data that detectors ignore."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from cutwatch.console_links import event_url, logs_url
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detectors.detector import Detector
from cutwatch.notifications.detector_lines import METRIC_LABEL_LENGTH, StackPlace, when
from cutwatch.registry.outcome import Outcome
from cutwatch.wording import count, span_in_words

ADVICE = (
    "missing_data is ignore: no such time is an event. With missing_data: anomalous, the next one is; "
    "with missing_data: zero, it counts as 0."
)
_LISTED_DETECTORS = 30


def outages(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes with an unusual time without data."""
    return [outcome for outcome in outcomes if outcome.outage and outcome.definition]


def mentioned(silent: Sequence[Outcome]) -> list[str]:
    """Return the lines of a message about anomalies that mention these outages."""
    if not silent:
        return []
    lines = [f"  {each.detector}: {when(*_gap(each))}" for each in silent[:_LISTED_DETECTORS]]
    return ["", f"No data; {ADVICE}", *lines, *_left_out(silent)]


def outage_lines(silent: Sequence[Outcome], place: StackPlace) -> Iterator[str]:
    """Yield the lines of a message about these outages alone."""
    for outcome in silent[:_LISTED_DETECTORS]:
        yield ""
        yield from _lines(outcome, place)
    yield from _left_out(silent)
    yield from ("", ADVICE)


def outage_headline(outcome: Outcome) -> str:
    """Return `visits had no data for 2 h`."""
    gap, _ = _gap(outcome)
    return f"{outcome.detector} had no data for {span_in_words(gap.lasts)}"


def _lines(outcome: Outcome, place: StackPlace) -> Iterator[str]:
    gap, zone = _gap(outcome)
    detector = Detector.from_payload(outcome.definition or {})
    span, name = (gap.begins, gap.ends), outcome.detector
    period = span_in_words(timedelta(seconds=detector.period))
    yield f"{name}: {outcome.message}"
    yield f"  Metric    {detector.metric_label[:METRIC_LABEL_LENGTH]}, every {period}"
    yield f"  No data   {when(gap, zone)}"
    yield f"  Graph     {event_url(place.region, detector, *span, span)}"
    if detector.log_group:
        yield f"  Logs      {logs_url(place.region, detector.log_group, *span)}"
    yield f'  Silence   cutwatch silence {name} --for 1d --reason "..." {place.options}'


def _gap(outcome: Outcome) -> tuple[AnomalyEvent, str]:
    """Return the outage as an event, and the detector's time zone."""
    detector = Detector.from_payload(outcome.definition or {})
    first, last = outcome.outage or ("", "")
    gap = AnomalyEvent("", first, last, first, 1, period_seconds=detector.period)
    return gap, detector.time_zone


def _left_out(silent: Sequence[Outcome]) -> list[str]:
    hidden = len(silent) - _LISTED_DETECTORS
    return [f"  and {count(hidden, 'more detector')} without data"] if hidden > 0 else []
