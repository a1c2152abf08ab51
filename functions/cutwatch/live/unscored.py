"""States of live detectors that are not scored: removed, without a model, or failing. Their incidents end."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from cutwatch.live.incident_changes import NEWS_AGE
from cutwatch.live.live_bucket import LiveBucket, LiveState
from cutwatch.live.plan import PlannedDetector
from cutwatch.wording import span_in_words

_REMOVED = "the detector is not live any more"
_WITHOUT_MODEL = "no usable model yet; the next transform trains one"


def remove_others(bucket: LiveBucket, names: Collection[str]) -> None:
    """Remove the states of detectors that are not live any more, and end their incidents."""
    for name in sorted(bucket.states.keys() - set(names)):
        state = bucket.states.pop(name)
        bucket.outbox += state.ended_early(_REMOVED)[0]
        if state.series:
            bucket.superseded.append(state.series)


def wait_for_model(bucket: LiveBucket, planned: PlannedDetector) -> None:
    """Note that a detector has no usable model, for example after a change of its entry, and end its incidents."""
    earlier = bucket.states.get(planned.name)
    entries, incidents = earlier.ended_early(_WITHOUT_MODEL) if earlier else ([], {})
    bucket.outbox += entries
    if earlier and earlier.series:
        bucket.superseded.append(earlier.series)
    bucket.states[planned.name] = LiveState(
        planned.basis, planned.detector.period, incidents=incidents, problem=_WITHOUT_MODEL
    )


def note_failure(
    bucket: LiveBucket, planned: PlannedDetector, reason: str, now: datetime, *, passes: bool
) -> None:
    """Note why a detector was not scored; it is tried again in the next run.

    Unless the failure `passes`, incidents of a detector that was not scored for a day end.
    """
    state = bucket.states.get(planned.name)
    state = state or LiveState(planned.basis, planned.detector.period)
    unscored = now.timestamp() - state.through
    if not passes and unscored > NEWS_AGE.total_seconds():
        why = f"not scored for {span_in_words(NEWS_AGE)}: {reason}"
        entries, incidents = state.ended_early(why)
        bucket.outbox += entries
        state = replace(state, incidents=incidents)
    bucket.states[planned.name] = replace(state, problem=reason)
