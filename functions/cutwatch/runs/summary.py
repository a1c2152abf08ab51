"""The outcomes of a run."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from cutwatch.aws.s3 import Bucket
from cutwatch.registry.outcome import MESSAGE_MAX_LENGTH, Outcome, Status
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run

_LISTED_DETECTORS = 30


@dataclass(frozen=True)
class Summary:
    """A run's outcomes, one for every detector that was listed."""

    run: Run
    outcomes: Sequence[Outcome]

    @property
    def failed(self) -> list[Outcome]:
        """The failed outcomes."""
        return [outcome for outcome in self.outcomes if outcome.status == "FAILED"]

    @property
    def anomalous(self) -> list[Outcome]:
        """The outcomes with new events, the most severe first."""
        found = [outcome for outcome in self.outcomes if outcome.events]
        return sorted(found, key=lambda outcome: -outcome.events[0].comparable_severity)

    @property
    def all_failed(self) -> bool:
        """True if every detector failed."""
        return bool(self.outcomes) and len(self.failed) == len(self.outcomes)

    def to_payload(self) -> dict[str, Any]:
        """Return counts for the state machine and its reader."""
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
    """Collect the outcomes of a run. Record a failure for each listed detector without an outcome.

    `reason` is why a Map did not reach its detectors; None if it did.
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
