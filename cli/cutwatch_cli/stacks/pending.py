"""Published scores that CloudWatch does not show a report yet."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.pending_scores import LONGEST_DELAY, PendingScores, unreadable
from cutwatch.wording import time_in_words
from cutwatch_cli.stacks.published_datapoints import Datapoints

Pending = Mapping[str, Sequence[PendingScores]]


def pending_of(
    found: Datapoints, record: DetectorRecord, period: int, since: datetime, now: datetime
) -> list[PendingScores]:
    """Return a detector's pending scores from `since` on; the period is in seconds."""
    return unreadable(record.pending, found.classified(period), since, now, now)


def pending_notes(pending: Pending) -> list[str]:
    """Say in one sentence that score series follow, if any does."""
    expected = [each.expected_by for parts in pending.values() for each in parts]
    if not expected:
        return []
    hours, by = LONGEST_DELAY // timedelta(hours=1), time_in_words(max(expected), UTC)
    return [
        f"The score series follows: CloudWatch shows scores within {hours} hours of their publication (expected by {by} UTC); "
        "the anomalies come from the recorded events and are complete."
    ]
