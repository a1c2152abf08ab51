"""Gaps in reporting, for detectors that count missing data as anomalous."""

from datetime import UTC, datetime

import numpy as np

from cutwatch.detection.anomaly_event import AnomalyEvent, event_id
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.exclusions import excluded
from cutwatch.timeseries.arrays import Epochs
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import format_timestamp

_FEWEST_PERIODS, _SHORTEST_OUTAGE = 3, 1_800


def reporting_gaps(observed: Series, detector: Detector, start: int) -> Epochs:
    """Return the epoch seconds (n,) from `start` on without a datapoint, outside the detector's exclusions."""
    epochs = observed.epochs
    out = np.array(excluded(epochs.tolist(), detector.exclude, detector.time_zone), np.bool_)
    gaps: Epochs = epochs[observed.missing & ~out & (epochs >= start)]
    return gaps


def ignored_outage(observed: Series, detector: Detector, start: int) -> tuple[str, str] | None:
    """Return the first and last timestamp of an unusual time without data that the detector ignores.

    It lasts half an hour or more, has three periods or more, and is more than twice as long as every other gap that is
    observed, so that the nights of a metric without data at night are none. One that began before `start` counts in the
    window in which it has become that long.
    """
    if detector.missing_data != "ignore":
        return None
    every = sorted(_runs(reporting_gaps(observed, detector, 0), detector.period), key=len)
    if not every:
        return None
    *others, longest = every
    usual = len(others[-1]) if others else 0
    enough = max(_FEWEST_PERIODS, _SHORTEST_OUTAGE // detector.period, 2 * usual + 1)
    known = sum(epoch < start for epoch in longest)
    return (_time(longest[0]), _time(longest[-1])) if known < enough <= len(longest) else None


def gap_events(gaps: Epochs, detector: Detector) -> list[AnomalyEvent]:
    """Return one event, without score and severity, for each run of consecutive gaps."""
    runs = _runs(gaps, detector.period)
    return [_event(detector, run[0], run[-1], len(run)) for run in runs]


def _runs(gaps: Epochs, period: int) -> list[list[int]]:
    breaks = np.flatnonzero(np.diff(gaps) > period) + 1
    return [run.tolist() for run in np.split(gaps, breaks) if len(run)]


def _event(detector: Detector, first: int, last: int, datapoints: int) -> AnomalyEvent:
    start, end = _time(first), _time(last)
    return AnomalyEvent(
        event_id(detector.name, start),
        start,
        end,
        start,
        datapoints,
        period_seconds=detector.period,
        unit=detector.value_unit,
    )


def _time(epoch: int) -> str:
    return format_timestamp(datetime.fromtimestamp(epoch, UTC))
