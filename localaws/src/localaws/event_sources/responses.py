"""A function's response to its batch."""

from collections.abc import Mapping
from typing import Any

from localaws.event_sources.batches import Batch, Outcome, Result, Settings

_FAILED = Outcome(Result.FAILED)


def outcome_of(answer: Any, batch: Batch, settings: Settings) -> Outcome:
    """Return the outcome of an invocation that has not failed itself."""
    state = None
    if settings.tumbling_seconds:
        state = answer.get("state") if isinstance(answer, Mapping) else None
        if not isinstance(state, Mapping):
            return _FAILED
    if not settings.reports_failures:
        return Outcome(Result.DONE, state=state)
    return _reported(answer, batch, state)


def _reported(answer: Any, batch: Batch, state: Mapping[str, Any] | None) -> Outcome:
    """Find the first failed record; a report that cannot be read, or names a record of no such batch, fails the whole."""
    if not answer:
        return Outcome(Result.DONE)
    failures = answer.get("batchItemFailures") if isinstance(answer, Mapping) else [answer]
    if not failures:
        return Outcome(Result.DONE, state=state)
    places = {record.position: index for index, record in enumerate(batch.records)}
    try:
        first = min(places[failure["itemIdentifier"]] for failure in failures)
    except (KeyError, TypeError):
        return _FAILED
    return Outcome(Result.FAILED, first_failed=first)
