"""Live detectors of a deployed stack, from their states in its bucket."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from cutwatch.aws.s3 import Bucket
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.live.evaluation import Newest
from cutwatch.live.live_bucket import LiveBucket, LiveState
from cutwatch.live.live_store import LiveStore
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.registry import Registry
from cutwatch.timestamps import format_timestamp
from cutwatch.wording import number_in_words, severity_multiple, span_in_words

# A live detector is behind if its newest datapoint is older than this many periods, and than this time.
_BEHIND_PERIODS, _BEHIND = 3, timedelta(minutes=90)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class LiveDetector:
    """A live detector: its watermark, newest datapoint and lasting incident, and why it is not scored, if it is not."""

    name: str
    through: datetime | None
    newest: Newest | None
    incident: AnomalyEvent | None
    problem: str | None
    period: timedelta

    @classmethod
    def of(cls, name: str, state: LiveState) -> Self:
        """Return what a state says."""
        lasting = [each.event for each in state.lasting]
        return cls(
            name,
            datetime.fromtimestamp(state.through, UTC) if state.series else None,
            state.newest,
            max(lasting, key=lambda event: event.comparable_severity, default=None),
            state.problem,
            timedelta(seconds=state.period),
        )

    def why_late(self, now: datetime) -> str | None:
        """Return a sentence if the detector is not scored, or is behind; else None."""
        if self.problem:
            return f"live: {self.problem}"
        behind = max(_BEHIND, _BEHIND_PERIODS * self.period)
        if self.through and now - self.through > behind:
            return f"live: nothing scored for {span_in_words(now - self.through)}"
        return None

    def in_words(self, now: datetime) -> str:
        """Return the watermark's age, and the lasting incident or the severity now."""
        if self.through is None:
            return "waiting"
        age = f"{span_in_words(now - self.through)} ago"
        if self.incident:
            return f"{self.incident.severity_word} since {self.incident.begins:%m-%d %H:%M}, {age}"
        return f"{severity_now(self.newest)}, {age}"

    def to_payload(self) -> dict[str, Any]:
        """Return the detector as JSON values."""
        return {
            "through": format_timestamp(self.through) if self.through else None,
            "newest": self.newest.to_payload() if self.newest else None,
            "incident": self.incident.to_json() if self.incident else None,
            "problem": self.problem,
        }


def recent_incidents(
    registry: Registry, found: Mapping[str, LiveDetector], now: datetime
) -> list[RecordedEvent]:
    """Return the incidents of live detectors in the last day, newest first."""
    return [each for each in registry.events.between(now - _DAY, now) if each.detector in found]


def severity_now(newest: Newest | None) -> str:
    """Return the severity of the newest datapoint in multiples of the cutoff."""
    return severity_multiple(newest.severity) if newest and newest.severity is not None else "–"


def value_now(newest: Newest | None) -> str:
    """Return the newest datapoint next to the expected value."""
    if newest is None or newest.value is None:
        return "–"
    value = number_in_words(newest.value)
    if newest.expected is None:
        return value
    return f"{value} (expected {number_in_words(newest.expected)})"


def live_detectors(bucket: Bucket) -> Mapping[str, LiveDetector]:
    """Return every live detector by name; empty if there is none. Raises `MalformedState`."""
    store = LiveStore(bucket)
    return {
        name: LiveDetector.of(name, state)
        for stored in store.stored()
        for name, state in LiveBucket.from_bytes(
            bucket.read_bytes(store.key(stored.number))
        ).states.items()
    }
