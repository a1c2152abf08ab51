"""Training of a log stream's model: features and model from the first records, the cutoff from their scores, a check with the rest."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cutwatch.anomaly_models.fitted_model import TRAINING_SHARE, FittedModel
from cutwatch.anomaly_models.log_rows import event_rows
from cutwatch.anomaly_models.model import Rows, score_and_learn
from cutwatch.anomaly_models.training import TrainingSettings, train
from cutwatch.detection.parameters import SENSITIVITY
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidInput
from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_training import fit_statistics
from cutwatch.streams.forest import forest_seed
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.model_register import ModelVersion
from cutwatch.streams.record import Record
from cutwatch.streams.windows import ClosedWindow


@dataclass(frozen=True)
class Training:
    """A trained model, the number of its training records, and the share of the later rows that exceed its cutoff."""

    fitted: FittedModel
    records: int
    anomalous: float | None

    def entry(self, trained_at: float) -> ModelVersion:
        """Return the model's entry in the register; the time is in epoch seconds."""
        fitted = self.fitted
        until, cutoff = fitted.trained_until or 0.0, fitted.cutoff.value
        return ModelVersion(fitted.version, trained_at, until, self.records, cutoff, self.anomalous)


def train_stream(
    stream: Stream, events: Sequence[LogEvent], share: float = TRAINING_SHARE
) -> Training:
    """Return the model of the first share of a log's events in the order of time, checked with the rest.

    Every key begins with this model, so the events are trained as those of one key. Raises `InvalidInput` if there are too few.
    """
    if stream.log is None:
        raise InvalidInput(f"stream {stream.name!r} has no log; only logs are trained")
    if stream.forest.shingle_size > 1:
        raise InvalidInput("forest.shingle_size: a log's forest scores single records; use 1")
    training = events[: max(int(len(events) * share), 1)]
    statistics = fit_statistics(training, stream.time_zone)
    rows = _windowed(event_rows(events, LogFeatures(statistics)), stream)
    end = int((rows.times <= training[-1].time).sum())
    settings = TrainingSettings(stream.forest, forest_seed(stream, ""), stream.window.size or 60)
    fitted = train(stream.model, rows.between(0, end), settings, statistics.to_payload())
    fitted = replace(fitted, trained_until=training[-1].time)
    later = rows.between(end, len(rows.times))
    return Training(fitted, len(training), _anomalous(stream, fitted, later))


def _anomalous(stream: Stream, fitted: FittedModel, rows: Rows) -> float | None:
    """Return the share of rows after the training that exceed the cutoff; None without such rows."""
    if not len(rows.times):
        return None
    scores = np.nan_to_num(score_and_learn(fitted.copy().model, rows))
    return float(np.mean(fitted.times_cutoff(scores) >= SENSITIVITY[stream.sensitivity]))


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
