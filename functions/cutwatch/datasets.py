"""Pulls a detector's metric into S3: what a training or a transform job reads, and how it was made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.bucket import Bucket
from cutwatch.datapoints import is_known, read_series
from cutwatch.detector import Detector
from cutwatch.features import FeatureRows, lead_in_periods, shingle
from cutwatch.moments import format_moment
from cutwatch.names import dataset_digest, dataset_prefix, run_id
from cutwatch.outcomes import Outcome, Status
from cutwatch.registry import Model, Registry
from cutwatch.runs import Run
from cutwatch.series import Series
from cutwatch.settings import StoreMetricDataSettings
from cutwatch.storage import find_description, store_dataset
from cutwatch.windows import Window, newest_end, training_window, transform_window

# Fewer rows say nothing about what is normal; also the smallest sample that makes a forest's scores steady.
MINIMUM_TRAINING_ROWS = 100


@dataclass(frozen=True)
class DatasetRequest:
    """One detector's part of one run."""

    run: Run
    detector: Detector

    @property
    def trains(self) -> bool:
        """Whether the rows are to be learned from, rather than scored and published."""
        return self.run.kind == "training"


@dataclass(frozen=True)
class Gateway:
    """Everything outside that storing a dataset talks to."""

    cloudwatch: Any
    bucket: Bucket
    registry: Registry


def store(
    gateway: Gateway, settings: StoreMetricDataSettings, request: DatasetRequest
) -> dict[str, Any]:
    """Store the dataset of a run, once; returns its description, or `{"outcome": ...}` when there is nothing to do."""
    record = gateway.registry.detector(request.detector.name)
    model = None
    newest = newest_end(request.detector, request.run.scheduled, settings.data_delay)
    if request.trains:
        unpublished = settings.first_window if request.run.by_need else timedelta()
        window = training_window(request.detector, newest, record.published_through, unpublished)
    else:
        model = record.usable_model(request.detector.fingerprint)
        if model is None:
            return {"outcome": _why_untrained(gateway.registry, request).to_payload()}
        window = _transform_window(request, newest, record.published_through, model)
        if window.is_empty:
            return {"outcome": _up_to_date(request, record.published_through).to_payload()}
    return _store_window(gateway, settings, request, window, model)


def _transform_window(
    request: DatasetRequest, newest: datetime, published_through: datetime | None, model: Model
) -> Window:
    return transform_window(
        request.detector,
        newest,
        request.run.moment,
        published_through,
        datetime.fromisoformat(model.trained_through),
    )


def _store_window(
    gateway: Gateway,
    settings: StoreMetricDataSettings,
    request: DatasetRequest,
    window: Window,
    model: Model | None,
) -> dict[str, Any]:
    detector, run = request.detector, request.run
    start, end = format_moment(window.start), format_moment(window.end)
    digest = dataset_digest(gateway.bucket.name, detector, run.kind, start, end)
    prefix = dataset_prefix(detector.name, run.scheduled, run.kind, digest)
    stored = find_description(gateway.bucket, prefix)
    if stored is not None:
        return _summary(stored)
    shingle_size = model.shingle_size if model else detector.shingle_size
    lead_in = timedelta(
        seconds=detector.period * (0 if model is None else lead_in_periods(shingle_size))
    )
    observed = read_series(gateway.cloudwatch, detector, window.start - lead_in, window.end)
    features = shingle(observed.filled(detector.missing_data), shingle_size)
    nothing = _nothing_to_do(gateway.cloudwatch, request, window, observed, features)
    if nothing:
        return {"outcome": nothing.to_payload()}
    description = {
        "prefix": prefix,
        "digest": digest,
        "detector": detector.to_payload(),
        "start": start,
        "end": end,
        "lost_periods": window.lost_periods,
        "shingle_size": shingle_size,
        "rows": len(features.rows),
        "files": settings.row_files,
        "model": model.name if model else None,
        "cutoff": dict(model.cutoff) if model else None,
        "cutoff_method": model.cutoff_method if model else None,
        "reported": observed.reported,
        "constant": _is_constant(observed),
        "series_start": format_moment(observed.start),
        "values": [None if np.isnan(value) else value for value in observed.values.tolist()],
    }
    store_dataset(gateway.bucket, prefix, features, settings.row_files, description)
    return _summary(description)


def _summary(description: Mapping[str, Any]) -> dict[str, Any]:
    """What the next states need: never the data itself."""
    wanted = ("prefix", "digest", "start", "end", "shingle_size", "rows", "files", "model")
    return {name: description[name] for name in wanted} | {"outcome": None}


def _nothing_to_do(
    cloudwatch: Any,
    request: DatasetRequest,
    window: Window,
    observed: Series,
    features: FeatureRows,
) -> Outcome | None:
    """Why the dataset is of no use, if so. Silence is of use to a trained detector that watches for it."""
    silence_counts = not request.trains and request.detector.missing_data == "anomalous"
    if silence_counts:
        return None
    if observed.reported == 0 and (request.trains or request.detector.missing_data != "zero"):
        return _no_data(cloudwatch, request, window)
    if request.trains and len(features.rows) < MINIMUM_TRAINING_ROWS:
        return _too_little_history(request, observed, features)
    return None if len(features.rows) else _no_rows(request, observed, window)


def _is_constant(observed: Series) -> bool:
    values = observed.values[~observed.missing]
    return bool(len(values)) and bool(values.min() == values.max())


def _outcome(request: DatasetRequest, status: Status, message: str) -> Outcome:
    return Outcome(request.detector.name, status, message)


def _up_to_date(request: DatasetRequest, published_through: datetime | None) -> Outcome:
    through = format_moment(published_through) if published_through else "its training data"
    return _outcome(request, "UP_TO_DATE", f"nothing new since {through}")


def _why_untrained(registry: Registry, request: DatasetRequest) -> Outcome:
    training = run_id("training", request.run.scheduled, by_need=True)
    reason = registry.outcome(training, request.detector.name)
    if reason is None:
        return _outcome(request, "FAILED", f"no usable model, and {training} left no outcome")
    return _outcome(request, reason.status, f"no model yet: {reason.message}")


def _no_data(cloudwatch: Any, request: DatasetRequest, window: Window) -> Outcome:
    label = request.detector.metric_label
    if is_known(cloudwatch, request.detector):
        sentence = f"CloudWatch has no datapoints of {label}"
    else:
        sentence = (
            f"CloudWatch knows no metric {label}, or it has been silent for two weeks; "
            "check namespace, metric and dimensions"
        )
    return _outcome(
        request,
        "NO_DATA",
        f"{sentence} (asked for {format_moment(window.start)} to {format_moment(window.end)})",
    )


def _too_little_history(
    request: DatasetRequest, observed: Series, features: FeatureRows
) -> Outcome:
    return _outcome(
        request,
        "TOO_LITTLE_HISTORY",
        f"{request.detector.metric_label}: {len(features.rows)} complete rows from {observed.reported} "
        f"datapoints before {format_moment(observed.end)}; training needs {MINIMUM_TRAINING_ROWS}",
    )


def _no_rows(request: DatasetRequest, observed: Series, window: Window) -> Outcome:
    return _outcome(
        request,
        "NO_DATA",
        f"{observed.reported} datapoints from {format_moment(window.start)} to "
        f"{format_moment(window.end)}, never {request.detector.shingle_size} in a row",
    )
