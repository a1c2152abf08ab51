"""The failure of a whole batch, as its state machine caught it."""

from collections.abc import Mapping, Sequence
from typing import Any

from cutwatch.errors import QuotaExceeded
from cutwatch.observability import logger
from cutwatch.registry.outcome import Status, failure_of
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run

# The failure of its batch says less about a detector than any of these.
_BETTER: tuple[Status, ...] = (
    "TRAINED",
    "PUBLISHED",
    "UP_TO_DATE",
    "NO_DATA",
    "TOO_LITTLE_HISTORY",
)


def record_batch_failure(
    registry: Registry, run: Run, detectors: Sequence[str], caught: Mapping[str, Any]
) -> int:
    """Record `caught` (`Error`, `Cause`) for each detector without a better outcome; return how many that were.

    Waits for a quota end with it.
    """
    recorded = 0
    for name in detectors:
        failure = failure_of(name, caught)
        if registry.outcomes.record(run.id, run.opened_at, failure, keeps=_BETTER):
            recorded += 1
            logger.error("recorded as failed", detector=name, reason=failure.message)
        if caught["Error"] == QuotaExceeded.__name__:
            registry.quota_waits.end(name)
    return recorded
