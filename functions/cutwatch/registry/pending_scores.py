"""Published scores that CloudWatch does not show yet.

CloudWatch accepts datapoints of the last two weeks, but shows back-filled ones only after up to 48 hours. Until then, only the
registry has the anomalies of a window.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from cutwatch.aws.limits import METRIC_VISIBILITY_DELAYS
from cutwatch.timestamps import format_timestamp, parse_timestamp

LONGEST_DELAY = max(METRIC_VISIBILITY_DELAYS.values())
# AWS says that datapoints "can take at least 48 hours": look for them twice as long.
_GIVEN_UP_AFTER = 2 * LONGEST_DELAY


@dataclass(frozen=True)
class PendingScores:
    """Scores of [start, end), published at `published_at`, that CloudWatch shows later."""

    start: datetime
    end: datetime
    published_at: datetime

    @property
    def expected_by(self) -> datetime:
        """The time by which CloudWatch usually shows them."""
        return self.published_at + LONGEST_DELAY

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read the payload that `to_payload` wrote."""
        names = ("start", "end", "published_at")
        return cls(*(parse_timestamp(payload[name], name) for name in names))

    def to_payload(self) -> dict[str, str]:
        """Return the times as ISO 8601."""
        return {
            "start": format_timestamp(self.start),
            "end": format_timestamp(self.end),
            "published_at": format_timestamp(self.published_at),
        }


def pending_after(
    epochs: Sequence[int], period: int, now: datetime, earlier: Iterable[PendingScores] = ()
) -> list[PendingScores]:
    """Return what is pending after datapoints at `epochs` (ascending seconds) are published `now`, oldest first.

    A part of the window for each delay, because each becomes readable as a whole, and the parts of earlier windows.
    """
    found, first = [], 0
    for youngest in sorted(METRIC_VISIBILITY_DELAYS, reverse=True):
        last = bisect_right(epochs, (now - youngest).timestamp())
        if last > first:
            start, end = (datetime.fromtimestamp(epochs[at], UTC) for at in (first, last - 1))
            found.append(PendingScores(start, end + timedelta(seconds=period), now))
        first = last
    begins = datetime.fromtimestamp(epochs[0], UTC) if epochs else now
    kept = [
        each
        for each in earlier
        if now < each.published_at + _GIVEN_UP_AFTER and each.start < begins
    ]
    return kept + found


def unreadable(
    pending: Iterable[PendingScores],
    readable: Sequence[int],
    since: datetime,
    until: datetime,
    now: datetime,
) -> list[PendingScores]:
    """Return the parts within [since, until) that still have no readable score; `readable` are ascending epoch seconds."""
    found = []
    for each in pending:
        part = replace(each, start=max(each.start, since), end=min(each.end, until))
        shown = bisect_left(readable, part.end.timestamp()) - bisect_left(
            readable, part.start.timestamp()
        )
        if part.start < part.end and not shown and now < each.published_at + _GIVEN_UP_AFTER:
            found.append(part)
    return found
