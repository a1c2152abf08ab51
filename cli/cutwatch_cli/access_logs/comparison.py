"""Comparison of models on labelled rows: quality at the threshold of the training, speed and size."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.anomaly_models.fitted_model import TRAINING_SHARE, FittedModel
from cutwatch.anomaly_models.log_rows import event_rows, minute_rows
from cutwatch.anomaly_models.model import Rows, score_and_learn
from cutwatch.anomaly_models.training import TrainingSettings, train
from cutwatch.detectors.stream import Model
from cutwatch.errors import InvalidInput
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_training import fit_statistics
from cutwatch.timeseries.arrays import Floats
from cutwatch_cli.access_logs.faults import Fault
from cutwatch_cli.access_logs.local_endpoint_forest import LocalEndpointForest
from cutwatch_cli.access_logs.shop import Request

# What a model's rows are: the regression needs even steps.
UNITS: Mapping[Model, str] = {
    "random_cut_forest": "record",
    "one_class_svm": "record",
    "harmonic_regression": "minute",
    "random_cut_forest_endpoint": "record",
}


@dataclass(frozen=True)
class LabelledRows:
    """Rows in the order of time with their labels (n,), "" for ordinary ones; the first `training` rows are for training."""

    rows: Rows
    labels: NDArray[np.str_]
    training: int

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """True for the labelled rows among those after the training (m,)."""
        return np.asarray(self.labels[self.training :] != "", np.bool_)


@dataclass(frozen=True)
class ModelResult:
    """A model's result on the rows after the training.

    `precision`, `recall` and `false_alarms`, the share of ordinary rows, are those at the threshold of the training. `found` are
    the labels with at least one row above it. Times are those of the processor. Precision without alarms, and measures without labelled rows, are None.
    """

    model: str
    unit: str
    rows: int
    labelled: int
    flagged: int
    precision: float | None
    recall: float | None
    false_alarms: float
    roc_auc: float | None
    microseconds: float
    size: int
    fit_seconds: float
    found: tuple[str, ...]
    missed: tuple[str, ...]

    def to_payload(self) -> dict[str, Any]:
        """Return the result as JSON values."""
        return asdict(self)


def compare(kind: Model, unit: str, given: LabelledRows, settings: TrainingSettings) -> ModelResult:
    """Train a model on the first rows, and score and learn the rest one by one."""
    training = given.rows.between(0, given.training)
    later = given.rows.between(given.training, len(given.rows.times))
    if kind == "one_class_svm":
        import sklearn.svm  # noqa: F401, PLC0415 - here, for its import is no part of a fit

    begin = process_time()
    fitted = _trained(kind, training, settings)
    fit_seconds = process_time() - begin
    begin = process_time()
    # A static forest scores rows as an endpoint does, many at once.
    is_static = isinstance(fitted.model, LocalEndpointForest)
    found_scores = fitted.model.score(later) if is_static else score_and_learn(fitted.model, later)
    scores = np.nan_to_num(found_scores)
    seconds = process_time() - begin
    flagged, anomalous = scores > fitted.cutoff.value, given.anomalous
    labels = given.labels[given.training :]
    found = tuple(sorted(set(labels[flagged & anomalous].tolist())))
    return ModelResult(
        model=kind,
        unit=unit,
        rows=len(scores),
        labelled=int(anomalous.sum()),
        flagged=int(flagged.sum()),
        precision=_share(flagged & anomalous, flagged),
        recall=_share(flagged & anomalous, anomalous),
        false_alarms=_share(flagged & ~anomalous, ~anomalous) or 0.0,
        roc_auc=roc_auc(scores, anomalous),
        microseconds=1e6 * seconds / max(len(scores), 1),
        size=len(fitted.to_bytes()),
        fit_seconds=fit_seconds,
        found=found,
        missed=tuple(sorted(set(labels[anomalous].tolist()) - set(found))),
    )


def _trained(kind: Model, rows: Rows, settings: TrainingSettings) -> FittedModel:
    if kind != "random_cut_forest_endpoint":
        return train(kind, rows, settings)
    # SageMaker's algorithm itself is not here; this is its counterpart.
    model = LocalEndpointForest.trained(rows, settings.seed)
    return FittedModel.of_training(kind, model, model.score(rows))


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float | None:
    return float(part.sum() / whole.sum()) if whole.any() else None


def roc_auc(scores: Floats, anomalous: NDArray[np.bool_]) -> float | None:
    """Return the chance that an anomalous row (n,) scores more than an ordinary one, ties by half; None without both."""
    positives, negatives = int(anomalous.sum()), int((~anomalous).sum())
    if not (positives and negatives):
        return None
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    return float((ranks[anomalous].sum() - positives * (positives + 1) / 2) / (positives * negatives))  # fmt: skip


def rows_of_log(
    requests: Sequence[Request], faults: Sequence[Fault], time_zone: str = "UTC"
) -> dict[str, LabelledRows]:
    """Return the rows of a log by unit, `record` and `minute`; features are those of the training's records.

    Records that a fault changed are labelled, and minutes in which a fault is news. Raises `InvalidInput` if there are too few.
    """
    if not requests:
        raise InvalidInput("the log has no records")
    events = [each.event for each in requests]
    training = int(len(events) * TRAINING_SHARE)
    end = events[training].time
    features = LogFeatures(fit_statistics(events[:training], time_zone))
    minutes = minute_rows(events)
    records = LabelledRows(
        event_rows(events, features),
        np.array([each.fault.kind if each.fault else "" for each in requests]),
        training,
    )
    labels = np.array([_of_minute(time, faults) for time in minutes.times.tolist()], dtype=np.str_)
    return {
        "record": records,
        "minute": LabelledRows(minutes, labels, int((minutes.times < end).sum())),
    }


def _of_minute(time: float, faults: Sequence[Fault]) -> str:
    return next((each.kind for each in faults if each.is_news(time)), "")
