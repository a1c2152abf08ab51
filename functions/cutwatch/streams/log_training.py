"""Training of a log stream's model: features and model from the first records, the cutoff from their scores, a check with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cutwatch.anomaly_models.endpoint_forest import EndpointForest
from cutwatch.anomaly_models.fitted_model import TRAINING_SHARE, FittedModel
from cutwatch.anomaly_models.log_rows import event_rows
from cutwatch.anomaly_models.model import Rows, score_and_learn
from cutwatch.anomaly_models.training import TrainingSettings, train
from cutwatch.detection.parameters import SENSITIVITY
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidInput
from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_statistics import LogStatistics
from cutwatch.features.log_training import fit_statistics
from cutwatch.streams.forest import forest_seed
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.model_register import ModelVersion
from cutwatch.streams.record import Record
from cutwatch.streams.windows import ClosedWindow
from cutwatch.timeseries.arrays import Floats


@dataclass(frozen=True)
class Training:
    """A trained model, the number of its training records, and the share of the later rows that exceed its cutoff."""

    fitted: FittedModel
    records: int
    anomalous: float | None

    def entry(self, trained_at: float) -> ModelVersion:
        """Return the model's entry in the register; the time is in epoch seconds. An endpoint's has the name of its variant."""
        fitted = self.fitted
        model = fitted.model
        version = model.variant if isinstance(model, EndpointForest) else fitted.version
        until, cutoff = fitted.trained_until or 0.0, fitted.cutoff.value
        return ModelVersion(version, trained_at, until, self.records, cutoff, self.anomalous)


@dataclass(frozen=True)
class TrainingRows:
    """Rows of a log's events in the order of time, the first `training` of them for training, with the features' `statistics`.

    `records` is the number of training records, `until` the time of the last one in epoch seconds.
    """

    rows: Rows
    training: int
    statistics: LogStatistics
    records: int
    until: float

    @property
    def to_learn(self) -> Rows:
        """The rows for training."""
        return self.rows.between(0, self.training)

    @property
    def later(self) -> Rows:
        """The rows after those, to check the model."""
        return self.rows.between(self.training, len(self.rows.times))

    def training_of(self, stream: Stream, fitted: FittedModel, later: Floats) -> Training:
        """Return a model of these rows with its check: the scores (n,) of the later rows."""
        fitted = replace(fitted, trained_until=self.until)
        return Training(fitted, self.records, _anomalous(stream, fitted, later))


def training_rows(
    stream: Stream, events: Sequence[LogEvent], share: float = TRAINING_SHARE
) -> TrainingRows:
    """Return the rows of a log's events in the order of time; the first share of the events trains.

    Every key begins with the same model, so the events are those of one key. Raises `InvalidInput` if there are none.
    """
    if stream.log is None:
        raise InvalidInput(f"stream {stream.name!r} has no log; only logs are trained")
    if stream.forest.shingle_size > 1:
        raise InvalidInput("forest.shingle_size: a log's forest scores single records; use 1")
    if not events:
        raise InvalidInput("there are no records to learn from")
    training = events[: max(int(len(events) * share), 1)]
    statistics = fit_statistics(training, stream.time_zone)
    rows = _windowed(event_rows(events, LogFeatures(statistics)), stream)
    until = training[-1].time
    return TrainingRows(rows, int((rows.times <= until).sum()), statistics, len(training), until)


def train_stream(
    stream: Stream, events: Sequence[LogEvent], share: float = TRAINING_SHARE
) -> Training:
    """Return the model of the first share of a log's events in the order of time, checked with the rest.

    Raises `InvalidInput` if there are too few, and for a model that SageMaker trains.
    """
    if stream.is_scored_by_endpoint:
        raise InvalidInput(
            f"SageMaker trains the model of stream {stream.name!r}; run cutwatch train FILE --stream {stream.name} --upload"
        )
    given = training_rows(stream, events, share)
    settings = TrainingSettings(stream.forest, forest_seed(stream, ""), stream.window.size or 60)
    fitted = train(stream.model, given.to_learn, settings, given.statistics.to_payload())
    return given.training_of(stream, fitted, score_and_learn(fitted.copy().model, given.later))


def _anomalous(stream: Stream, fitted: FittedModel, scores: Floats) -> float | None:
    """Return the share of the scores (n,) of later rows that exceed the cutoff; None without any."""
    if not len(scores):
        return None
    return float(
        np.mean(fitted.times_cutoff(np.nan_to_num(scores)) >= SENSITIVITY[stream.sensitivity])
    )


def _windowed(rows: Rows, stream: Stream) -> Rows:
    """Return the rows of a stream's windows, or of its records if it has none."""
    if stream.window.size is None or not len(rows.times):
        return rows
    windows, state = KeyWindows(stream), KeyState.of_new_key(stream, "", float(rows.times[0]))
    closed = list[ClosedWindow]()
    for number, (time, values) in enumerate(zip(rows.times.tolist(), rows.values.tolist(), strict=True)):  # fmt: skip
        closed += windows.add(state, Record("", time, tuple(values), "", number)) or ()
    return Rows(
        np.array([row.time for row in closed], np.float64),
        np.array([row.values for row in closed], np.float64).reshape(len(closed), -1),
    )
