"""Training of a log stream's model: features and model from the first part of the records, the cutoff from their scores."""

from collections.abc import Sequence

import numpy as np

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.anomaly_models.log_rows import event_rows
from cutwatch.anomaly_models.model import Rows
from cutwatch.anomaly_models.training import TrainingSettings, train
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidInput
from cutwatch.features.log_event import LogEvent
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_training import fit_statistics
from cutwatch.streams.forest import forest_seed
from cutwatch.streams.key_state import KeyState
from cutwatch.streams.key_windows import KeyWindows
from cutwatch.streams.record import Record
from cutwatch.streams.windows import ClosedWindow


def train_stream(stream: Stream, events: Sequence[LogEvent]) -> FittedModel:
    """Return the model of a log's events in the order of time. Raises `InvalidInput` if there are too few.

    Every key begins with this model, so the events are trained as those of one key.
    """
    if stream.log is None:
        raise InvalidInput(f"stream {stream.name!r} has no log; only logs are trained")
    if stream.forest.shingle_size > 1:
        raise InvalidInput("forest.shingle_size: a log's forest scores single records; use 1")
    statistics = fit_statistics(events, stream.time_zone)
    rows = _windowed(event_rows(events, LogFeatures(statistics)), stream)
    settings = TrainingSettings(stream.forest, forest_seed(stream, ""), stream.window.size or 60)
    return train(stream.model, rows, settings, statistics.to_payload())


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
