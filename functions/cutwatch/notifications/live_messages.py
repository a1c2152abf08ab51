"""Emails about incidents that are scored live: those that began or became more severe, and those that are over."""

from collections.abc import Mapping, Sequence

from cutwatch.notifications.detector_lines import StackPlace, detector_lines
from cutwatch.notifications.messages import (
    Notification,
    detectors_by_severity,
    headline,
)
from cutwatch.registry.outcome import Outcome
from cutwatch.wording import count, severity_in_words, span_in_words

_LISTED = 30
_NAMED_IN_ATTRIBUTES = 450


def of_incidents(found: Sequence[Outcome], place: StackPlace, *, over: bool) -> Notification:
    """Write the message about incidents that began or became more severe, each an outcome with one event.

    After a pause of live detection, all of them may be `over`.
    """
    ordered = sorted(found, key=lambda outcome: -outcome.most_severe.comparable_severity)
    worst, word = ordered[0], ordered[0].most_severe.severity_word
    severity, when = severity_in_words(worst.most_severe), "over by now" if over else "now"
    first = f"{headline(worst)}{_more(found)} (severity: {severity}), {when}."
    subject = f"Cutwatch {word}: {headline(worst)}{_more(found)}"
    attributes = {"kind": "anomalies", "severity": word, **detectors_by_severity(ordered)}
    return _message(subject, first, ordered, place, attributes)


def of_endings(found: Sequence[Outcome], place: StackPlace) -> Notification:
    """Write the message about incidents that are over, each an outcome with one event."""
    first = found[0]
    span = span_in_words(first.most_severe.lasts)
    subject = f"Cutwatch over: {first.detector} after {span}{_more(found)}"
    attributes = {"kind": "over", "severity": first.most_severe.severity_word}
    return _message(
        subject, f"{first.detector} is over after {span}{_more(found)}.", found, place, attributes
    )


def _message(
    subject: str,
    first: str,
    found: Sequence[Outcome],
    place: StackPlace,
    attributes: Mapping[str, str | Sequence[str]],
) -> Notification:
    lines = [first]
    for outcome in found[:_LISTED]:
        lines += ["", *detector_lines(outcome, place)]
    if len(found) > _LISTED:
        lines += ["", f"and {count(len(found) - _LISTED, 'more detector')}"]
    lines += ["", f"Dashboard: {place.dashboard}"]
    names = list(dict.fromkeys(outcome.detector for outcome in found))[:_NAMED_IN_ATTRIBUTES]
    return Notification(subject, "\n".join(lines), {**attributes, "detector": names, "run": "live"})


def _more(found: Sequence[Outcome]) -> str:
    others = len(found) - 1
    return f", and {count(others, 'more incident')}" if others else ""
