"""The description of a dataset: its source, window and recipe, in `description.json` next to its rows."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from types import NoneType
from typing import Annotated, Any, Self

import numpy as np
from annotated_types import Ge

from cutwatch.datasets.dataset import Dataset
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import CutoffMethod, Detector
from cutwatch.errors import InvalidInput
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.payloads import read
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import format_timestamp, parse_timestamp

_FIELD = "description"


@dataclass(frozen=True, eq=False)
class Description:
    """A detector as it was configured, its window [start, end), and how its series became rows.

    `observed` is the series as CloudWatch had it, from the lead-in on, gaps as NaN.
    """

    dataset: Dataset
    detector: Detector
    start: datetime
    end: datetime
    recipe: FeatureRecipe
    observed: Series

    def to_payload(self) -> dict[str, Any]:
        """Return the JSON that `from_payload` reads."""
        values = self.observed.values.tolist()
        return self.dataset.to_payload() | {
            "detector": self.detector.to_payload(),
            "start": format_timestamp(self.start),
            "end": format_timestamp(self.end),
            "recipe": self.recipe.to_payload(),
            "reported": self.observed.reported,
            "series_start": format_timestamp(self.observed.start),
            "values": [None if math.isnan(value) else value for value in values],
        }

    @classmethod
    def from_payload(cls, payload: Any) -> Self:
        """Read a payload. Raises `InvalidInput` with the field, its value and what would be right."""
        return cls(**cls._read(payload))

    @classmethod
    def _read(cls, payload: Any) -> dict[str, Any]:
        stored = read(_Stored, payload, _FIELD)
        start = parse_timestamp(stored.series_start, f"{_FIELD}.series_start")
        return {
            "dataset": dataset_in(payload),
            "detector": stored.detector,
            "start": parse_timestamp(stored.start, f"{_FIELD}.start"),
            "end": parse_timestamp(stored.end, f"{_FIELD}.end"),
            "recipe": stored.recipe,
            "observed": Series(start, stored.detector.period, _values_in(payload)),
        }


@dataclass(frozen=True, eq=False)
class TrainingDescription(Description):
    """The history for a training; `remark` is a sentence about an unpredictable metric."""

    remark: str | None

    def to_payload(self) -> dict[str, Any]:
        """Return the JSON that `from_payload` reads."""
        return super().to_payload() | {"remark": self.remark}

    @classmethod
    def _read(cls, payload: Any) -> dict[str, Any]:
        return super()._read(payload) | asdict(read(_StoredTraining, payload, _FIELD))


@dataclass(frozen=True, eq=False)
class WindowDescription(Description):
    """A window that a model scores, frozen with everything that its detection needs.

    `checkpoint` is the S3 key of the forest that scores it, None for SageMaker's models. `lost_periods` counts the
    datapoints before it that were never published and have become too old.
    """

    model: str
    checkpoint: str | None
    threshold: Threshold
    lost_periods: int

    def scored(self, epochs: Epochs, scores: Floats) -> ScoredWindow:
        """Return the window with the scores (n, k) of its rows at `epochs` (n,)."""
        return ScoredWindow(epochs, scores, self.observed, int(self.start.timestamp()))

    def to_payload(self) -> dict[str, Any]:
        """Return the JSON that `from_payload` reads."""
        return super().to_payload() | {
            "model": self.model,
            "checkpoint": self.checkpoint,
            "cutoff": self.threshold.cutoff.to_payload(),
            "cutoff_method": self.threshold.method,
            "lost_periods": self.lost_periods,
        }

    @classmethod
    def _read(cls, payload: Any) -> dict[str, Any]:
        stored = read(_StoredWindow, payload, _FIELD)
        return super()._read(payload) | {
            "model": stored.model,
            "checkpoint": stored.checkpoint,
            "threshold": Threshold(stored.cutoff_method, stored.cutoff),
            "lost_periods": stored.lost_periods,
        }


@dataclass(frozen=True)
class _Stored:
    detector: Detector
    start: str
    end: str
    recipe: FeatureRecipe
    series_start: str


@dataclass(frozen=True)
class _StoredTraining:
    remark: str | None


@dataclass(frozen=True)
class _StoredWindow:
    model: str
    checkpoint: str | None
    cutoff: Cutoff
    cutoff_method: CutoffMethod
    lost_periods: Annotated[int, Ge(0)]


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass(frozen=True)
class _WithDetector:
    detector: _Named


def dataset_in(payload: Any) -> Dataset:
    """Return the dataset that a description describes. Raises `InvalidInput`."""
    name = read(_WithDetector, payload, _FIELD).detector.name
    return Dataset.from_payload(dict(payload) | {"detector": name}, _FIELD)


def _values_in(payload: Mapping[str, Any]) -> Floats:
    """Check thousands of values together: one by one would take longer than to read everything else."""
    values = payload.get("values")
    if not isinstance(values, list):
        raise InvalidInput(f"{_FIELD}.values is {values!r:.60}; expected a list")
    if not set(map(type, values)) <= {int, float, NoneType}:
        raise InvalidInput(f"{_FIELD}.values holds something other than numbers and null")
    return np.array(values, np.float64)  # null becomes NaN
