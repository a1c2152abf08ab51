"""Gaps in reporting, for detectors that count missing data as anomalous."""

from datetime import UTC, datetime

import numpy as np

from cutwatch.detection.anomaly_event import AnomalyEvent, event_id
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.exclusions import excluded
from cutwatch.timeseries.arrays import Epochs
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import format_timestamp


def reporting_gaps(observed: Series, detector: Detector, start: int) -> Epochs:
    """Return the epoch seconds (n,) from `start` on without a datapoint, outside the detector's exclusions."""
    epochs = observed.epochs
    out = np.array(excluded(epochs.tolist(), detector.exclude, detector.time_zone), np.bool_)
    gaps: Epochs = epochs[observed.missing & ~out & (epochs >= start)]
    return gaps


def gap_events(gaps: Epochs, detector: Detector) -> list[AnomalyEvent]:
    """Return one event, without score and severity, for each run of consecutive gaps."""
    breaks = np.flatnonzero(np.diff(gaps) > detector.period) + 1
    runs = [run.tolist() for run in np.split(gaps, breaks) if len(run)]
    return [_event(detector, run[0], run[-1], len(run)) for run in runs]


def _event(detector: Detector, first: int, last: int, datapoints: int) -> AnomalyEvent:
    start, end = (format_timestamp(datetime.fromtimestamp(epoch, UTC)) for epoch in (first, last))
    return AnomalyEvent(
        event_id(detector.name, start),
        start,
        end,
        start,
        datapoints,
        period_seconds=detector.period,
    )
