"""Groups of identical detectors: engine, period, history and size."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

from cutwatch.detectors.detector import Detector, Engine
from cutwatch.registry.run import Kind

ENGINES: tuple[Engine, ...] = get_args(Engine)
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Schedule:
    """Runs of each kind a month."""

    transforms: float
    trainings: float = 1

    def runs(self, kind: Kind) -> float:
        """Return the runs of one kind."""
        return self.trainings if kind == "training" else self.transforms


@dataclass(frozen=True)
class Detectors:
    """`count` identical detectors. `payload_bytes` is one detector's share of a state's input."""

    count: int
    engine: Engine
    period: timedelta
    history: timedelta
    payload_bytes: int


def group(
    detectors: Sequence[Detector], count: int = 1, engine: Engine | None = None
) -> list[Detectors]:
    """Group the detectors of a file, each counted `count` times; `engine` overrides their own."""
    alike = Counter(_alike(detector, engine) for detector in detectors)
    return [Detectors(number * count, *shape) for shape, number in alike.items()]


def _alike(detector: Detector, engine: Engine | None) -> tuple[Engine, timedelta, timedelta, int]:
    return (
        engine or detector.engine,
        timedelta(seconds=detector.period),
        detector.history,
        len(json.dumps(detector.to_payload())) + 2,
    )
