"""A run: one execution's share of the calendar, the same for every execution of the same scheduled time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Literal

from cutwatch.bucket import Bucket
from cutwatch.detector import Detector
from cutwatch.errors import InvalidInput
from cutwatch.moments import format_moment, parse_moment
from cutwatch.names import run_id, run_prefix
from cutwatch.registry import DetectorRecord, Registry

Kind = Literal["training", "transform"]


@dataclass(frozen=True)
class RunRequest:
    """What an execution was started with: the scheduled event, or a person's or a transform's own input."""

    kind: Kind
    scheduled_time: datetime
    by_need: bool
    detectors: tuple[str, ...] | None

    @classmethod
    def from_event(cls, kind: Kind, event: Mapping[str, Any], started: str) -> "RunRequest":
        """`time` is the scheduled time (else the execution's start), `detectors` narrows the run to some names."""
        names = event.get("detectors")
        if names is not None and not (
            isinstance(names, list) and names and all(isinstance(name, str) for name in names)
        ):
            raise InvalidInput(f"detectors is {names!r}; expected a list of detector names")
        time = parse_moment(event.get("time", started)).replace(microsecond=0)
        return cls(kind, time, bool(event.get("by_need")), tuple(names) if names else None)


@dataclass(frozen=True)
class Run:
    """As it travels between states. `now` is fixed once and kept through retries and repetitions."""

    id: str
    kind: Kind
    scheduled_time: str
    now: str
    by_need: bool = False

    @property
    def scheduled(self) -> datetime:
        """The scheduled time."""
        return parse_moment(self.scheduled_time, "scheduled_time")

    @property
    def moment(self) -> datetime:
        """The run's "now"."""
        return parse_moment(self.now, "now")

    @property
    def detectors_key(self) -> str:
        """S3 key of the list of detectors that the Map reads."""
        return f"{run_prefix(self.id)}detectors.json"

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Run":
        """Read back what `asdict` wrote."""
        return cls(**{name: payload[name] for name in cls.__dataclass_fields__})


def open_run(
    registry: Registry,
    bucket: Bucket,
    request: RunRequest,
    detectors: Sequence[Detector],
    started: datetime,
) -> dict[str, Any]:
    """Open the run, list its detectors into S3, and count those without a usable model.

    Returns `run`, `detectors` (bucket and key of the list), `count`, `untrained`, and the names that the
    request was narrowed to, if it was.
    """
    chosen = _chosen(request, detectors)
    records = registry.detectors()
    untrained = [d for d in chosen if not _record(records, d).usable_model(d.fingerprint)]
    listed = untrained if request.by_need else chosen
    identity = run_id(request.kind, request.scheduled_time, by_need=request.by_need)
    run = Run(
        identity,
        request.kind,
        format_moment(request.scheduled_time),
        format_moment(registry.open_run(identity, started)),
        request.by_need,
    )
    bucket.write(run.detectors_key, json.dumps([detector.to_payload() for detector in listed]))
    return {
        "run": asdict(run),
        "detectors": {"bucket": bucket.name, "key": run.detectors_key},
        "count": len(listed),
        "untrained": len(untrained),
        "narrowed_to": list(request.detectors) if request.detectors else None,
    }


def _record(records: Mapping[str, DetectorRecord], detector: Detector) -> DetectorRecord:
    return records.get(detector.name, DetectorRecord(detector.name))


def _chosen(request: RunRequest, detectors: Sequence[Detector]) -> list[Detector]:
    if request.detectors is None:
        return list(detectors)
    by_name = {detector.name: detector for detector in detectors}
    for name in request.detectors:
        if name not in by_name:
            near = get_close_matches(name, by_name, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InvalidInput(f"detectors names {name!r}, which detectors.yaml does not{hint}")
    return [by_name[name] for name in dict.fromkeys(request.detectors)]
