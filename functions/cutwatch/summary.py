"""The end of a run: outcomes counted, totals published, one notification."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import sleep
from typing import Any, get_args

from cutwatch.aws_limits import SNS_MESSAGE_MAX_BYTES, SNS_SUBJECT_MAX_LENGTH
from cutwatch.bucket import Bucket
from cutwatch.errors import TRANSIENT
from cutwatch.metrics import (
    ANOMALOUS_DATAPOINTS,
    DETECTORS_FAILED,
    MAX_ANOMALY_SCORE,
    Datum,
    datum,
    publish,
)
from cutwatch.moments import parse_moment
from cutwatch.outcomes import (
    MESSAGE_MAX_LENGTH,
    AnomalyEvent,
    Outcome,
    Status,
)
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.silences import Silence, in_force, silenced_line

_LISTED_DETECTORS = 30
_LISTED_EVENTS = 5
_PAUSES_BEFORE_NOTING_AGAIN = (1, 4)


@dataclass(frozen=True)
class Summary:
    """A run's outcomes, one for every detector that was listed."""

    run: Run
    outcomes: Sequence[Outcome]

    @property
    def failed(self) -> list[Outcome]:
        """Those whose part failed."""
        return [outcome for outcome in self.outcomes if outcome.status == "FAILED"]

    @property
    def anomalous(self) -> list[Outcome]:
        """Those with new events, most events first."""
        found = [outcome for outcome in self.outcomes if outcome.new_events]
        return sorted(found, key=lambda outcome: -outcome.new_events)

    @property
    def news(self) -> set[str]:
        """What there is to tell: one short key per detector with new events or a failure."""
        return {_news_key(outcome) for outcome in (*self.failed, *self.anomalous)}

    def without(self, told: set[str]) -> "Summary":
        """The summary less the outcomes that have been told."""
        return replace(self, outcomes=[o for o in self.outcomes if _news_key(o) not in told])

    def without_events_of(self, silences: Sequence[Silence]) -> "Summary":
        """The summary less the new events of silenced detectors; their failures stay."""
        silenced = {silence.detector for silence in silences}
        heard = [o for o in self.outcomes if not (o.new_events and o.detector in silenced)]
        return replace(self, outcomes=heard)

    @property
    def all_failed(self) -> bool:
        """Whether nothing at all worked."""
        return bool(self.outcomes) and len(self.failed) == len(self.outcomes)

    def to_payload(self) -> dict[str, Any]:
        """Counts for the state machine and its reader."""
        return {
            "detectors": len(self.outcomes),
            "statuses": dict(Counter(outcome.status for outcome in self.outcomes)),
            "anomalous_datapoints": sum(o.anomalous_datapoints for o in self.outcomes),
            "new_events": sum(o.new_events for o in self.outcomes),
            "all_failed": self.all_failed,
            "failures": [
                {"detector": o.detector, "reason": o.message[:500]}
                for o in self.failed[:_LISTED_DETECTORS]
            ],
        }


def _news_key(outcome: Outcome) -> str:
    return hashlib.sha256(f"{outcome.detector}/{outcome.status}".encode()).hexdigest()[:12]


def summarize(registry: Registry, bucket: Bucket, run: Run, reason: str | None = None) -> Summary:
    """Collect the outcomes; a detector that was listed but left none has failed, which is recorded.

    `reason` is why a Map has not come to its detectors, if so.
    """
    outcomes = {outcome.detector: outcome for outcome in registry.outcomes(run.id)}
    names = bucket.read_json(run.names_key)
    for name in names:
        if name not in outcomes:
            outcomes[name] = _unfinished(name, reason)
            registry.record_outcome(run.id, run.moment, outcomes[name], keeps=get_args(Status))
    return Summary(run, [outcomes[name] for name in names])


def _unfinished(detector: str, reason: str | None) -> Outcome:
    sentence = "its part of the run ended without recording an outcome"
    because = f"; the run could not go through its detectors: {reason}" if reason else ""
    return Outcome(detector, "FAILED", f"{sentence}{because}"[:MESSAGE_MAX_LENGTH])


def publish_totals(cloudwatch: Any, namespace: str, summary: Summary) -> None:
    """Totals without dimensions, stamped with the run's "now"."""
    publish(cloudwatch, namespace, _totals(summary))


def _totals(summary: Summary) -> list[Datum]:
    now = summary.run.moment
    totals = [datum(DETECTORS_FAILED, len(summary.failed), now)]
    if summary.run.kind == "transform":
        found = sum(outcome.anomalous_datapoints for outcome in summary.outcomes)
        totals.append(datum(ANOMALOUS_DATAPOINTS, found, now))
    scores = [o.max_anomaly_score for o in summary.outcomes if o.max_anomaly_score is not None]
    if scores:
        totals.append(datum(MAX_ANOMALY_SCORE, max(scores), now))
    return totals


def notify(
    sns: Any,
    registry: Registry,
    topic_arn: str,
    region: str,
    summary: Summary,
    execution: str,
    now: datetime,
) -> bool:
    """Send one message with what this run has not told yet, if there is anything; whether it was sent.

    A repeated run tells only news, for example of a detector that failed at first. Training by need says
    nothing itself: the transform that asked for it reports what failed. Events of silenced detectors count as told,
    so that the end of a silence brings no old news.
    """
    if summary.run.by_need or not summary.news:
        return False
    told = registry.claim_notification(summary.run.id, execution, now)
    if told is None:
        return False
    fresh = summary.without(told)
    silences = _silences(registry, summary, now)
    heard = fresh.without_events_of(silences)
    if heard.news:
        text = message(heard, region, silences)
        sns.publish(TopicArn=topic_arn, Subject=subject(heard), Message=text)
    _note(registry, summary.run.id, told | fresh.news)
    return bool(heard.news)


def _silences(registry: Registry, summary: Summary, now: datetime) -> list[Silence]:
    """Those in force of the run's detectors."""
    names = {outcome.detector for outcome in summary.outcomes}
    return [each for each in in_force(registry.silences(), now) if each.detector in names]


def _note(registry: Registry, run: str, told: set[str]) -> None:
    """Try harder than elsewhere: if the function failed now, its retry would send the message once more."""
    for pause in _PAUSES_BEFORE_NOTING_AGAIN:
        try:
            registry.mark_told(run, told)
        except TRANSIENT:
            sleep(pause)
        else:
            return
    registry.mark_told(run, told)


def subject(summary: Summary) -> str:
    """What matters, in at most 100 characters."""
    parts = []
    if summary.anomalous:
        names = [outcome.detector for outcome in summary.anomalous]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        parts.append(f"anomalies in {names[0]}{more}")
    if summary.failed:
        parts.append(f"{summary.run.kind} failed for {_detectors(len(summary.failed))}")
    return f"Cutwatch: {'; '.join(parts)}"[:SNS_SUBJECT_MAX_LENGTH]


def message(summary: Summary, region: str, silences: Sequence[Silence] = ()) -> str:
    """The message in words: what, when, how far above its cutoff; then what failed and why, and who is silenced."""
    lines = [f"{summary.run.kind.capitalize()} run of {_when(summary.run.scheduled)}."]
    for outcome in summary.anomalous[:_LISTED_DETECTORS]:
        lines += ["", f"{outcome.detector}: {outcome.message}"]
        lines += [f"  {_event_line(event)}" for event in outcome.events[:_LISTED_EVENTS]]
        hidden = outcome.new_events - len(outcome.events[:_LISTED_EVENTS])
        lines += [f"  and {hidden} more"] if hidden > 0 else []
    lines += _left_out(summary.anomalous, "with anomalies")
    if summary.failed:
        lines += ["", "Failed:"]
        lines += [f"  {o.detector}: {o.message[:300]}" for o in summary.failed[:_LISTED_DETECTORS]]
        lines += _left_out(summary.failed, "that failed")
    lines += ["", silenced_line(silences)] if silences else []
    lines += ["", _console_line(region)]
    return "\n".join(lines).encode()[:SNS_MESSAGE_MAX_BYTES].decode(errors="ignore")


def _event_line(event: AnomalyEvent) -> str:
    start, end = parse_moment(event.start), parse_moment(event.end)
    when = _when(start) if start == end else f"{_when(start)} to {_when(end)}"
    if event.severity is None:
        return f"{when}: no data"
    facts = f"{event.severity_word} severity, {event.severity:.1f} times the cutoff"
    if event.value is None or event.expected is None:
        return f"{when}: {facts}"
    usual = f"usually {event.expected:.6g} ({event.expected_low:.6g} to {event.expected_high:.6g})"
    return f"{when}: {facts}; value {event.value:.6g}, {usual}; its {event.driver} stood out"


def _left_out(outcomes: Sequence[Outcome], what: str) -> list[str]:
    hidden = len(outcomes) - _LISTED_DETECTORS
    return [f"  and {hidden} more detectors {what}"] if hidden > 0 else []


def _console_line(region: str) -> str:
    return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#metricsV2:"


def _detectors(count: int) -> str:
    return f"{count} detector{'s' if count != 1 else ''}"


def _when(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
