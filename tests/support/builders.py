"""Domain objects for tests: only what a test is about needs to be said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import TrainingDescription, WindowDescription
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.metric_source import SourceMetric
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.registry.detector_record import Model
from cutwatch.registry.outcome import Outcome, Status
from cutwatch.registry.run import Run
from cutwatch.timeseries.series import Series

# A Monday at noon; aligned to every period up to an hour.
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def a_detector(name: str = "orders", **fields: Any) -> Detector:
    """A detector of a five-minute metric."""
    known: dict[str, Any] = {"namespace": "Shop", "metric": "Orders", "statistic": "Sum"}
    return Detector(name=name, **(known | fields))


def a_ratio(name: str = "error-rate", **fields: Any) -> Detector:
    """A detector of an expression over two metrics."""
    known: dict[str, Any] = {
        "expression": "100 * errors / requests",
        "metrics": {
            "errors": SourceMetric("Shop", "Errors", "Sum", {"Shop": "north"}),
            "requests": SourceMetric("Shop", "Requests", "Sum", {"Shop": "north"}),
        },
    }
    return Detector(name=name, **(known | fields))


def a_run(kind: Any = "transform", **fields: Any) -> Run:
    """The run of NOON."""
    known: dict[str, Any] = {
        "id": f"{kind}-20261102T120000Z",
        "scheduled_time": "2026-11-02T12:00:00Z",
        "now": "2026-11-02T12:00:03Z",
    }
    return Run(kind=kind, **(known | fields))


def a_recipe(**fields: Any) -> FeatureRecipe:
    """The value as it is."""
    known: dict[str, Any] = {
        "features": ("value",),
        "spreads": (1.0,),
        "centre": 0.0,
        "shingle_size": 1,
        "time_zone": "UTC",
        "first": 0,
    }
    return FeatureRecipe(**(known | fields))


def a_model(name: str = "model-1", detector: Detector | None = None, **fields: Any) -> Model:
    """A model that was trained for a detector the day before NOON; its training scores were 10 ± 2."""
    known: dict[str, Any] = {
        "fingerprint": (detector or a_detector()).fingerprint,
        "scheduled_time": "2026-11-01T03:00:00Z",
        "trained_through": "2026-11-01T02:45:00Z",
        "recipe": f"models/orders/{name}/recipe.json",
        "cutoff": Cutoff(10.0, 2.0, 3.0, 16.0).to_payload(),
        "cutoff_method": "adaptive",
    }
    return Model(name=name, **(known | fields))


def a_dataset(**fields: Any) -> Dataset:
    """Three rows of one value in one object, that model-1 scores."""
    known: dict[str, Any] = {
        "detector": "orders",
        "prefix": "data/orders/20261102T120000Z-transform-0a1b2c3d/",
        "digest": "0a1b2c3d",
        "forest": "20261102T120000Z-0a1b2c3d",
        "dimensions": 1,
        "rows": 3,
        "files": 1,
        "model": "model-1",
    }
    return Dataset(**(known | fields))


def a_training_description(**fields: Any) -> TrainingDescription:
    """A history of three datapoints and a gap, from NOON on."""
    series = a_series([1.0, None, 3.0, 4.5])
    known: dict[str, Any] = {
        "dataset": a_dataset(model=None),
        "detector": a_detector(),
        "start": series.start,
        "end": series.end,
        "recipe": a_recipe(),
        "observed": series,
        "remark": None,
    }
    return TrainingDescription(**(known | fields))


def a_window_description(**fields: Any) -> WindowDescription:
    """A window of three datapoints and a gap, from NOON on."""
    series = a_series([1.0, None, 3.0, 4.5])
    known: dict[str, Any] = {
        "dataset": a_dataset(),
        "detector": a_detector(),
        "start": series.start,
        "end": series.end,
        "recipe": a_recipe(),
        "observed": series,
        "model": "model-1",
        "checkpoint": None,
        "threshold": Threshold("adaptive", Cutoff(10.0, 2.0, 3.0, 16.0)),
        "lost_periods": 0,
    }
    return WindowDescription(**(known | fields))


def an_outcome(
    detector: str = "orders", status: Status = "PUBLISHED", message: str = "done", **fields: Any
) -> Outcome:
    """How a detector's part ended; new events are of half past ten unless they are said."""
    if fields.get("new_events") and "events" not in fields:
        start = "2026-11-02T10:30:00Z"
        fields["events"] = (
            AnomalyEvent(f"{detector}:{start}", start, start, start, 1, 2.0, period_seconds=300),
        )
        fields["definition"] = a_detector(detector).to_payload()
    return Outcome(detector, status, message, **fields)


def a_series(values: Sequence[float | None], start: datetime = NOON, period: int = 300) -> Series:
    """One value a period; None is a gap."""
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    return Series(start, period, numbers)


def moments(count: int, start: datetime = NOON, period: int = 300) -> list[datetime]:
    """The timestamps of a series."""
    return [start + timedelta(seconds=period * position) for position in range(count)]
