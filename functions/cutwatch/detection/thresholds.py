"""The threshold of a trained model: a detection method, and the sigma cutoff of its training scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cutwatch.detection.adaptive_threshold import Event, detect
from cutwatch.detection.channels import Measured
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.sigma_threshold import Cutoff, detect_above
from cutwatch.detectors.detector import CutoffMethod, Detector
from cutwatch.timeseries.arrays import Floats


@dataclass(frozen=True, eq=False)
class Detection:
    """Scores as published and severities, each (n,) on the grid of the series; events in order; the cutoff of the scores."""

    scores: Floats
    severities: Floats
    events: tuple[Event, ...]
    cutoff: float


@dataclass(frozen=True)
class Threshold:
    """`method` chooses between the adaptive threshold and the two sigma rules, which use the cutoff."""

    method: CutoffMethod
    cutoff: Cutoff

    def apply(self, window: ScoredWindow, detector: Detector, measured: Measured) -> Detection:
        """Return severities and events of a window that was measured, at the detector's sensitivity."""
        return _METHODS[self.method](self, window, detector, measured)


def _adaptive(
    _: Threshold, window: ScoredWindow, detector: Detector, measured: Measured
) -> Detection:
    """Publish multiples of the threshold, which is 1: no score of a single forest says as much."""
    found = detect(window.observed.epochs, measured, window.start, detector.sensitivity)
    return Detection(found.severities, found.severities, found.events, 1.0)


def _training(threshold: Threshold, window: ScoredWindow, *_: object) -> Detection:
    """Use the mean and standard deviation of the training scores."""
    return _above(threshold.cutoff, window)


def _window(threshold: Threshold, window: ScoredWindow, *_: object) -> Detection:
    """Use the mean and standard deviation of the window's own scores."""
    own = window.scores.max(axis=1)[window.epochs >= window.start]
    cutoff = Cutoff.of_scores(own, threshold.cutoff.sigmas) if len(own) else threshold.cutoff
    return _above(cutoff, window)


def _above(cutoff: Cutoff, window: ScoredWindow) -> Detection:
    scores = window.on_grid(window.scores.max(axis=1))
    judged = np.where(window.observed.epochs >= window.start, scores, np.nan)
    return Detection(scores, scores / cutoff.value, detect_above(cutoff, judged), cutoff.value)


_METHODS: Mapping[CutoffMethod, Callable[..., Detection]] = {
    "adaptive": _adaptive,
    "training": _training,
    "window": _window,
}
