"""The sigma rule: scores above mean + k standard deviations of reference scores are anomalous.

This is the rule of thumb of SageMaker's Random Cut Forest documentation, with k as a parameter.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.adaptive_threshold import Detection, Event
from cutwatch.timeseries.arrays import Epochs, Floats

# Scores of a constant series differ by rounding only; below this relative spread no score stands out.
_RELATIVE_SPREAD = 1e-6
# Scores that are all 0 must not make a cutoff of 0, of which no score is a multiple.
_LEAST_SPREAD = 1e-9


@dataclass(frozen=True)
class Cutoff:
    """Scores above `value` are anomalous; `value` = `mean` + `sigmas` x `standard_deviation`."""

    mean: float
    standard_deviation: float
    sigmas: float
    value: float

    @classmethod
    def of_scores(cls, scores: Floats, sigmas: float) -> "Cutoff":
        """Return the cutoff for reference scores (n,), at least one and all finite."""
        mean, deviation = float(np.mean(scores)), float(np.std(scores))
        spread = max(deviation, _RELATIVE_SPREAD * abs(mean), _LEAST_SPREAD)
        return cls(mean, deviation, sigmas, mean + sigmas * spread)

    def to_payload(self) -> dict[str, float]:
        """Return the payload that `from_payload` reads."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Cutoff":
        """Read the payload that `to_payload` wrote."""
        return cls(**{name: float(payload[name]) for name in cls.__dataclass_fields__})


def detect_above(
    cutoff: Cutoff, epochs: Epochs, scores: Floats, period: int, detect_from: int
) -> Detection:
    """Raise an event for each run of scores above the cutoff, from epoch second `detect_from` on.

    `epochs` and `scores` are (n,), `period` is in seconds.
    """
    above = np.flatnonzero((scores > cutoff.value) & (epochs >= detect_from))
    breaks = np.flatnonzero(np.diff(epochs[above]) > period) + 1
    runs = [run for run in np.split(above, breaks) if len(run)]
    events = tuple(_event(run, scores, cutoff) for run in runs)
    return Detection(scores / cutoff.value, events, cutoff.value)


def _event(run: NDArray[np.intp], scores: Floats, cutoff: Cutoff) -> Event:
    peak = int(run[np.argmax(scores[run])])
    return Event(int(run[0]), peak, int(run[-1]), float(scores[peak] / cutoff.value))
