"""The threshold of a trained model: a detection method, and the training scores that it refers to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cutwatch.detection.adaptive_threshold import DEFAULT, Baseline, Detection, detect
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.sigma_threshold import Cutoff, detect_above
from cutwatch.detectors.detector import CutoffMethod, Detector


@dataclass(frozen=True)
class Threshold:
    """`method` chooses between the adaptive threshold, which uses the baseline, and the two sigma rules.

    `detect_adaptively` is the adaptive threshold with or without look-ahead.
    """

    method: CutoffMethod
    baseline: Baseline
    cutoff: Cutoff
    detect_adaptively: Callable[..., Detection] = detect

    def apply(self, window: ScoredWindow, detector: Detector) -> Detection:
        """Return the severities of the window's rows, the events among them and the cutoff as a score."""
        return _METHODS[self.method](self, window, detector)


def _adaptive(threshold: Threshold, window: ScoredWindow, detector: Detector) -> Detection:
    again = DEFAULT.rejudged_seconds if window.follows else 0
    return threshold.detect_adaptively(
        window.epochs,
        window.scores,
        detector.period,
        window.start - again,
        threshold.baseline,
        detector.sensitivity,
    )


def _training(threshold: Threshold, window: ScoredWindow, detector: Detector) -> Detection:
    """Use the mean and standard deviation of the training scores."""
    return _above(threshold.cutoff, window, detector)


def _window(threshold: Threshold, window: ScoredWindow, detector: Detector) -> Detection:
    """Use the mean and standard deviation of the window's own scores."""
    own = window.scores[window.epochs >= window.start]
    cutoff = Cutoff.of_scores(own, threshold.cutoff.sigmas) if len(own) else threshold.cutoff
    return _above(cutoff, window, detector)


def _above(cutoff: Cutoff, window: ScoredWindow, detector: Detector) -> Detection:
    return detect_above(cutoff, window.epochs, window.scores, detector.period, window.start)


_METHODS: Mapping[CutoffMethod, Callable[[Threshold, ScoredWindow, Detector], Detection]] = {
    "adaptive": _adaptive,
    "training": _training,
    "window": _window,
}
