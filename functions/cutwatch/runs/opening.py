"""Opening a run: its detectors are listed in S3, by engine and in batches, for the Map to read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any, get_args

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detector import Detector, Engine
from cutwatch.detectors.templates import Watched
from cutwatch.errors import InvalidInput
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.outcome import Outcome, failure
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run, RunRequest, run_id
from cutwatch.timestamps import format_timestamp

# Part of the 256 KB of a state's input; the states of a batch add the rest.
BATCH_MAX_BYTES = 100_000
# Reasons in the answer, which must stay small.
_REASONS = 20
_ENGINES: tuple[Engine, ...] = get_args(Engine)


@dataclass(frozen=True)
class Admitted:
    """The detectors of a run, and the outcomes of detectors that cannot take part."""

    detectors: Sequence[Detector]
    refused: Sequence[Outcome] = ()


def admitted(watched: Watched, sagemaker_engine: str) -> Admitted:
    """Refuse templates that could not be expanded, and SageMaker detectors in a stack without SageMaker."""
    refused = [failure(name, "TemplateExpansion", reason) for name, reason in watched.problems]
    if sagemaker_engine == "ENABLED":
        return Admitted(watched.detectors, refused)
    kept = [detector for detector in watched.detectors if detector.engine != "sagemaker"]
    refused += [
        failure(
            detector.name,
            "InvalidDetectors",
            "engine: 'sagemaker', which this stack was deployed without (SageMakerEngine is "
            "DISABLED); set engine: lambda",
        )
        for detector in watched.detectors
        if detector.engine == "sagemaker"
    ]
    return Admitted(kept, refused)


def open_run(
    registry: Registry,
    bucket: Bucket,
    request: RunRequest,
    admitted: Admitted,
    started: datetime,
    batch_size: int,
) -> dict[str, Any]:
    """Open the run and list its detectors in S3, in batches of at most `batch_size` for forests inside Lambda.

    Each SageMaker detector has a batch and so an execution of its own, which waits for its jobs. Return the `run`, the
    location and number of each engine's batches, the `count` of detectors, the number of detectors `to_train` with
    reasons, and the names to which the request was narrowed.
    """
    chosen = _chosen(request, admitted.detectors)
    records = registry.detectors.all()
    reasons = {d.name: _record(records, d).why_train(d) for d in chosen}
    to_train = [d for d in chosen if reasons[d.name]]
    listed = to_train if request.on_demand else chosen
    run = _open(registry, request, started)
    refused = () if request.detectors or request.on_demand else admitted.refused
    for outcome in refused:
        registry.outcomes.record(run.id, run.opened_at, outcome)
    names = [*(d.name for d in listed), *(outcome.detector for outcome in refused)]
    bucket.write(run.names_key, json.dumps(names))
    sizes: Mapping[Engine, int] = {"lambda": batch_size, "sagemaker": 1}
    return {
        "run": asdict(run),
        "engines": {
            engine: _list_batches(bucket, run, engine, _of(engine, listed, records), sizes[engine])
            for engine in _ENGINES
        },
        "count": len(listed),
        "to_train": len(to_train),
        "why_train": {d.name: reasons[d.name] for d in to_train[:_REASONS]},
        "narrowed_to": list(request.detectors) if request.detectors else None,
    }


def _open(registry: Registry, request: RunRequest, started: datetime) -> Run:
    identity = run_id(request.kind, request.scheduled_time, on_demand=request.on_demand)
    now = format_timestamp(registry.runs.open(identity, started))
    scheduled = format_timestamp(request.scheduled_time)
    narrowed = request.detectors is not None
    return Run(identity, request.kind, scheduled, now, request.on_demand, narrowed)


def _of(
    engine: Engine, detectors: Sequence[Detector], records: Mapping[str, DetectorRecord]
) -> list[Detector]:
    """Return an engine's detectors, sorted by window, because detectors of one window are read together."""

    def window(detector: Detector) -> tuple[int, str, str]:
        through = _record(records, detector).published_through
        return detector.period, through.isoformat() if through else "", detector.name

    return sorted((d for d in detectors if d.engine == engine), key=window)


def _list_batches(
    bucket: Bucket, run: Run, engine: Engine, detectors: Sequence[Detector], size: int
) -> dict[str, Any]:
    batches = in_batches([detector.to_payload() for detector in detectors], size)
    key = run.batches_key(engine)
    bucket.write(key, json.dumps([{"detectors": batch} for batch in batches]))
    return {"bucket": bucket.name, "key": key, "batches": len(batches)}


def in_batches(
    detectors: Sequence[dict[str, Any]], size: int, max_bytes: int = BATCH_MAX_BYTES
) -> list[list[dict[str, Any]]]:
    """Split payloads in order into batches of at most `size`, and at most `max_bytes` of JSON unless one is alone."""
    batches: list[list[dict[str, Any]]] = []
    room = 0
    for detector in detectors:
        needed = len(json.dumps(detector)) + 2
        if not batches or len(batches[-1]) == size or needed > room:
            batches.append([])
            room = max_bytes
        batches[-1].append(detector)
        room -= needed
    return batches


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
