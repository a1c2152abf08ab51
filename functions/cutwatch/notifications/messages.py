"""Email messages: what happened, when, how far from the expected value, where to look, how to silence it."""

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cutwatch.aws.limits import (
    METRIC_VISIBILITY_DELAYS,
    SNS_MESSAGE_MAX_BYTES,
    SNS_SUBJECT_MAX_LENGTH,
)
from cutwatch.detection.anomaly_event import SEVERITIES
from cutwatch.notifications.detector_lines import StackPlace, detector_lines
from cutwatch.notifications.outages import mentioned, outage_headline, outage_lines
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.pending_scores import LONGEST_DELAY
from cutwatch.registry.silences import Silence, silenced_line
from cutwatch.runs.summary import Summary
from cutwatch.wording import (
    count,
    quantity_in_words,
    severity_in_words,
)

_LISTED_DETECTORS = 30
_REASON_LENGTH = 300
# Even the longest names leave half of a message to its text.
_NAMED_IN_ATTRIBUTES = 450
_PLAIN = str.maketrans({"µ": "u", "–": "-", "−": "-", "×": "x", "’": "'"})


@dataclass(frozen=True)
class Notification:
    """One message: a subject, which is sent in ASCII, plain text, and attributes for filter policies."""

    subject: str
    text: str
    attributes: Mapping[str, str | Sequence[str]]

    def to_request(self) -> dict[str, Any]:
        """Return the arguments of SNS's Publish, cut to its limits."""
        attributes = {name: _attribute(value) for name, value in self.attributes.items()}
        room = SNS_MESSAGE_MAX_BYTES - len(json.dumps(attributes))
        return {
            "Subject": _in_ascii(self.subject)[:SNS_SUBJECT_MAX_LENGTH],
            "Message": self.text.encode()[:room].decode(errors="ignore"),
            "MessageAttributes": attributes,
        }


def _in_ascii(text: str) -> str:
    """Return a line of printable ASCII, for SNS rejects any other subject; accents are left out."""
    letters = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    line = "".join(each for each in letters if not unicodedata.combining(each))
    return "".join(each if " " <= each <= "~" else "?" for each in " ".join(line.split()))


def _attribute(value: str | Sequence[str]) -> dict[str, str]:
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    return {"DataType": "String.Array", "StringValue": json.dumps(list(value))}


def of_anomalies(
    summary: Summary,
    found: Sequence[Outcome],
    place: StackPlace,
    silences: Sequence[Silence] = (),
    silent: Sequence[Outcome] = (),
) -> Notification:
    """Write the message about the new events of `found`, the most severe first; mention `silent` detectors."""
    worst, others = found[0], len(found) - 1
    more = f", and {count(others, 'more detector')}" if others else ""
    word, title = worst.most_severe.severity_word, headline(worst)
    lines = [f"{title}{more} (severity: {severity_in_words(worst.most_severe)})."]
    for outcome in found[:_LISTED_DETECTORS]:
        lines += ["", *detector_lines(outcome, place)]
    lines += _left_out(found, "with anomalies")
    lines += mentioned(silent)
    lines += _pending_scores(summary, found)
    lines += ["", silenced_line(silences)] if silences else []
    lines += ["", f"Transform of {_utc(summary.run.scheduled)}."]
    lines += [f"Dashboard: {place.dashboard}"]
    return Notification(
        f"Cutwatch {word}: {title}{more}",
        "\n".join(lines),
        {
            "kind": "anomalies",
            "severity": word,
            **detectors_by_severity(found),
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


def of_outages(summary: Summary, silent: Sequence[Outcome], place: StackPlace) -> Notification:
    """Write the message about unusual times without data that are not events."""
    others = len(silent) - 1
    more = f", and {count(others, 'more detector')}" if others else ""
    headline = f"{outage_headline(silent[0])}{more}"
    lines = [f"{headline}.", *outage_lines(silent, place)]
    lines += ["", f"Transform of {_utc(summary.run.scheduled)}.", f"Dashboard: {place.dashboard}"]
    attributes = {"kind": "outages", **_shared_attributes(summary, silent)}
    return Notification(f"Cutwatch: {headline}", "\n".join(lines), attributes)


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


def detectors_by_severity(found: Sequence[Outcome]) -> dict[str, list[str]]:
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


def headline(outcome: Outcome) -> str:
    """Return a few words about an outcome's most severe event."""
    event = outcome.most_severe
    if event.severity is None:
        return f"{outcome.detector} has no data"
    if event.value is None or event.expected is None:
        return f"{outcome.detector} is anomalous"
    value, expected = (
        quantity_in_words(each, event.unit) for each in (event.value, event.expected)
    )
    return f"{outcome.detector} at {value}, expected {expected}"


def _left_out(outcomes: Sequence[Outcome], description: str) -> list[str]:
    hidden = len(outcomes) - _LISTED_DETECTORS
    return ["", f"and {count(hidden, 'more detector')} {description}"] if hidden > 0 else []


def _utc(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"
