"""The plan of live detection: which detectors there are, with which models, and which bucket holds each."""

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from cutwatch.aws.s3 import Bucket
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.detectors.detector import Detector
from cutwatch.errors import MalformedObject, NotFound
from cutwatch.live.live_store import PLAN, planned_key
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.timestamps import format_timestamp, parse_timestamp

# Detectors in a bucket: one invocation scores them within a quarter of a minute, and keeps their forests in memory.
BUCKET_DETECTORS = 250
# New models, and new values of templates, are looked for this often.
REFRESH = timedelta(minutes=15)


@dataclass(frozen=True)
class PlannedDetector:
    """A detector, and its model with the checkpoint and the window that the last transform left; None without a model.

    `start` is the beginning of the window (ISO 8601).
    """

    detector: Detector
    model: Model | None = None
    checkpoint: str | None = None
    start: str | None = None
    before: LastEvent | None = None

    @property
    def name(self) -> str:
        """The detector's name."""
        return self.detector.name

    @property
    def basis(self) -> str:
        """Digest of everything that a window is computed from; another one begins the window again."""
        identity = json.dumps(self.to_payload(), sort_keys=True)
        return hashlib.sha256(identity.encode()).hexdigest()[:12]

    @classmethod
    def of(cls, detector: Detector, record: DetectorRecord) -> Self:
        """Return the plan for a detector, by its record in the registry."""
        model = record.usable_model(detector.fingerprint)
        if model is None:
            return cls(detector)
        start = record.published_through or parse_timestamp(model.trained_through)
        checkpoint = record.checkpoint_of(model)
        return cls(detector, model, checkpoint, format_timestamp(start), record.last_event)

    def to_payload(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "detector": self.detector.to_payload(),
            "model": asdict(self.model) if self.model else None,
            "checkpoint": self.checkpoint,
            "start": self.start,
            "before": asdict(self.before) if self.before else None,
        }

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` returned."""
        model, before = payload["model"], payload["before"]
        return cls(
            Detector.from_payload(payload["detector"]),
            Model.from_payload(model) if model else None,
            payload["checkpoint"],
            payload["start"],
            LastEvent(**before) if before else None,
        )


@dataclass(frozen=True)
class Plan:
    """The bucket of each detector by name, when this was made, and by which detectors.yaml (its digest).

    `emptied` are buckets without detectors whose state is not empty yet.
    """

    made_at: datetime
    configuration: str
    assigned: Mapping[str, int]
    emptied: Collection[int] = ()

    @property
    def buckets(self) -> list[int]:
        """The numbers of the buckets to score, or to empty."""
        return sorted({*self.assigned.values(), *self.emptied})

    def is_due(self, now: datetime, configuration: str) -> bool:
        """Return True if the plan must be made again."""
        return configuration != self.configuration or not (
            self.made_at <= now < self.made_at + REFRESH
        )


def read_plan(bucket: Bucket) -> Plan | None:
    """Return the plan; None if there is none, or it cannot be read."""
    try:
        stored = bucket.read_json(PLAN)
        made_at = parse_timestamp(stored["made_at"])
        return Plan(made_at, stored["configuration"], stored["assigned"], stored["emptied"])
    except (NotFound, MalformedObject, KeyError, TypeError):
        return None


def write_plan(
    bucket: Bucket,
    detectors: Sequence[PlannedDetector],
    earlier: Plan | None,
    plan: Plan,
    is_empty: Callable[[int], bool] = lambda _: False,
) -> Plan:
    """Assign detectors to buckets, write the list of each bucket, then the plan; return it.

    A detector stays in its bucket, so that its state stays with it. A bucket that has lost all of its detectors stays in
    the plan until its state `is_empty`.
    """
    assigned = assign([each.name for each in detectors], earlier.assigned if earlier else {})
    left = set(earlier.buckets if earlier else ()) - set(assigned.values())
    emptied = sorted(number for number in left if not is_empty(number))
    plan = replace(plan, assigned=assigned, emptied=emptied)
    for number in plan.buckets:
        own = [each.to_payload() for each in detectors if assigned[each.name] == number]
        bucket.write(planned_key(number), json.dumps(own))
    content = {
        "made_at": format_timestamp(plan.made_at),
        "configuration": plan.configuration,
        "assigned": assigned,
        "emptied": emptied,
    }
    bucket.write(PLAN, json.dumps(content))
    return plan


def assign(
    names: Sequence[str], earlier: Mapping[str, int], size: int = BUCKET_DETECTORS
) -> dict[str, int]:
    """Return the bucket of each detector: that which it had, else the first with room."""
    kept = {name: earlier[name] for name in names if name in earlier}
    counts: dict[int, int] = {}
    for number in kept.values():
        counts[number] = counts.get(number, 0) + 1
    free = _free(counts, size)
    return {name: kept[name] if name in kept else next(free) for name in names}


def _free(counts: dict[int, int], size: int) -> Iterator[int]:
    number = 0
    while True:
        for _ in range(size - counts.get(number, 0)):
            yield number
        number += 1


def read_planned(bucket: Bucket, number: int) -> list[PlannedDetector]:
    """Return the detectors of a bucket."""
    return [PlannedDetector.from_payload(each) for each in bucket.read_json(planned_key(number))]
