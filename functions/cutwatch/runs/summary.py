"""The end of a run: outcomes counted, totals published."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from cutwatch.aws.cloudwatch import Datum, datum, publish
from cutwatch.aws.s3 import Bucket
from cutwatch.metric_names import (
    ANOMALOUS_DATAPOINTS,
    ANOMALOUS_DATAPOINTS_TOGETHER,
    DETECTORS_FAILED,
    DETECTORS_WITHOUT_DATA,
    FAILED_RUNS_NOTIFIED,
    MAX_ANOMALY_SCORE,
    NEW_EVENTS,
)
from cutwatch.registry.outcome import MESSAGE_MAX_LENGTH, Outcome, Status
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run

_LISTED_DETECTORS = 30
# Of the alarms on failed executions.
ALARM_PERIOD = timedelta(minutes=5)


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
        """Those with new events, the gravest first."""
        found = [outcome for outcome in self.outcomes if outcome.events]
        return sorted(found, key=lambda outcome: -outcome.events[0].gravity)

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


def summarize(registry: Registry, bucket: Bucket, run: Run, reason: str | None = None) -> Summary:
    """Collect the outcomes; a detector that was listed but left none has failed, which is recorded.

    `reason` is why a Map has not come to its detectors, if so.
    """
    outcomes = {outcome.detector: outcome for outcome in registry.outcomes.of_run(run.id)}
    names = bucket.read_json(run.names_key)
    for name in names:
        if name not in outcomes:
            outcomes[name] = _unfinished(name, reason)
            registry.outcomes.record(run.id, run.opened_at, outcomes[name], keeps=get_args(Status))
    return Summary(run, [outcomes[name] for name in names])


def _unfinished(detector: str, reason: str | None) -> Outcome:
    sentence = "its part of the run ended without recording an outcome"
    because = f"; the run could not go through its detectors: {reason}" if reason else ""
    return Outcome(detector, "FAILED", f"{sentence}{because}"[:MESSAGE_MAX_LENGTH])


def publish_totals(cloudwatch: Any, namespace: str, summary: Summary, now: datetime) -> None:
    """Totals without dimensions, stamped `now`: alarms never look at back-filled datapoints."""
    publish(cloudwatch, namespace, _totals(summary, now))


def _totals(summary: Summary, now: datetime) -> list[Datum]:
    outcomes = summary.outcomes
    totals = {
        DETECTORS_FAILED: len(summary.failed),
        DETECTORS_WITHOUT_DATA: sum(outcome.status == "NO_DATA" for outcome in outcomes),
    }
    if summary.run.kind == "transform":
        totals[ANOMALOUS_DATAPOINTS] = sum(outcome.anomalous_datapoints for outcome in outcomes)
        totals[NEW_EVENTS] = sum(outcome.new_events for outcome in outcomes)
    largest: Mapping[str, list[float | None]] = {
        MAX_ANOMALY_SCORE: [outcome.max_anomaly_score for outcome in outcomes],
        ANOMALOUS_DATAPOINTS_TOGETHER: [outcome.datapoints_together for outcome in outcomes],
    }
    known = {name: [v for v in values if v is not None] for name, values in largest.items()}
    maxima = {name: max(values) for name, values in known.items() if values}
    return [datum(name, value, now) for name, value in (totals | maxima).items()]


def publish_failure(
    cloudwatch: Any, namespace: str, summary: Summary, stack: str, now: datetime
) -> None:
    """That a run as a whole has failed, and people know: the alarm on failed executions leaves it out.

    Also for the period after this one: the execution ends later, and alarms look at windows that move.
    """
    dimensions = {"Run": summary.run.kind, "Stack": stack}
    moments = (now, now + ALARM_PERIOD)
    publish(
        cloudwatch, namespace, [datum(FAILED_RUNS_NOTIFIED, 1, at, dimensions) for at in moments]
    )
