"""The default judgement without any look-ahead: what a real-time detector would have raised, datapoint by datapoint."""

import numpy as np

from cutwatch.detection.adaptive_threshold import (
    DEFAULT,
    HOUR,
    SENSITIVITY,
    Baseline,
    Detection,
    Event,
    ThresholdParameters,
    cutoff_of,
    find_peaks,
    standardised_scores,
)
from cutwatch.detectors.detector import Sensitivity
from cutwatch.timeseries.arrays import Epochs, Floats


def detect_causally(
    epochs: Epochs,
    scores: Floats,
    period: int,
    detect_from: int,
    baseline: Baseline,
    sensitivity: Sensitivity = "medium",
    parameters: ThresholdParameters = DEFAULT,
) -> Detection:
    """Judge each row by what was known at its moment; an event is raised by the first row that reaches the cutoff.

    It lasts until the severity has stayed below 1 for `peak_distance_hours`; its severity is that of the moment
    when it was raised.
    """
    if not len(epochs):
        return Detection(np.empty(0), (), float("nan"))
    standardised = standardised_scores(scores, baseline, parameters)
    peaks = find_peaks(epochs, standardised, period, parameters)
    # A peak is known to be one only when nothing higher has followed for a while.
    known_at = epochs[peaks] + round(parameters.peak_distance_hours * HOUR)
    cutoffs = SENSITIVITY[sensitivity] * np.array(
        [
            cutoff_of(
                epochs[peaks[:known]],
                standardised[peaks[:known]],
                detect_from,
                baseline,
                parameters,
            )
            for known in range(len(peaks) + 1)
        ]
    )
    at_each = cutoffs[np.searchsorted(known_at, epochs, side="right")]
    severities = standardised / at_each
    events = _events(epochs, severities, detect_from, parameters)
    as_score = baseline.mean + float(at_each[-1]) * (
        baseline.standard_deviation + parameters.deviation_floor
    )
    return Detection(severities, tuple(events), as_score)


def _events(
    epochs: Epochs, severities: Floats, detect_from: int, parameters: ThresholdParameters
) -> list[Event]:
    hot = np.flatnonzero((severities >= 1) & (epochs >= detect_from))
    apart = np.diff(epochs[hot]) > parameters.peak_distance_hours * HOUR
    runs = [run for run in np.split(hot, np.flatnonzero(apart) + 1) if len(run)]
    return [
        Event(int(run[0]), int(run[0]), int(run[-1]), float(severities[run[0]])) for run in runs
    ]
