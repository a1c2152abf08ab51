"""The rolling baseline of a key's scores: severities without look-ahead, O(1) in time and memory per score.

A score is compared with the mean and deviation of the scores before it, and with the peaks that came before. docs/streams.md
has the measurements behind the numbers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import sqrt
from typing import Any

from cutwatch.detection.parameters import DEFAULT

# A single score, instead of the mean of the last few, must lie above the mean by this much (score units) plus this many
# standard deviations.
_SINGLE_FLOOR, _SINGLE_DEVIATIONS = 0.6, 8.0
# A score counts in the baseline up to this many standard deviations above the mean: incidents hardly raise it.
_CLIPPED = 3.0
# Scores before the first severity.
_FEWEST = 32
# Peaks are remembered for one to two blocks of this many scores, and end after this many scores without a higher one.
_BLOCK, _PEAK_ENDS = 2_000, 24
_LEAST_PEAK = 0.5 * DEFAULT.level
_SMOOTHING, _DEVIATION_FLOOR = DEFAULT.smoothing, DEFAULT.deviation_floor
_MOST_SCORES = DEFAULT.baseline_datapoints


@dataclass(slots=True)
class ScoreBaseline:
    """Exponentially weighted mean and variance of scores, the latest scores, and the largest peaks of two blocks.

    `least` is the least cutoff, and `single` says whether one score alone counts; they belong to the scores' feature, and
    are not stored.
    """

    scores: int = 0
    mean: float = 0.0
    variance: float = 0.0
    latest: list[float] = field(default_factory=list)
    peaks: list[float] = field(default_factory=list)
    earlier_peaks: list[float] = field(default_factory=list)
    peak: float = 0.0
    since_peak: int = 0
    cutoff: float = DEFAULT.level
    least: float = DEFAULT.level
    single: bool = True

    def severity(self, score: float) -> float:
        """Return the severity of the next score in multiples of the cutoff, and take the score into the baseline."""
        mean, spread = self.mean, sqrt(self.variance)
        deviation = spread + _DEVIATION_FLOOR
        latest = self.latest
        latest.append(score)
        if len(latest) > _SMOOTHING:
            del latest[0]
        severity = 0.0
        if self.scores >= _FEWEST:
            smoothed = (sum(latest) / len(latest) - mean) / deviation
            severity = max(smoothed / self.cutoff, 0.0)
            if self.single:
                single = (score - mean) / (_SINGLE_FLOOR + _SINGLE_DEVIATIONS * spread)
                severity = max(severity, single)
            if self.peak or smoothed > _LEAST_PEAK:
                self._follow_peak(smoothed)
        self._learn(min(score, mean + _CLIPPED * deviation) if self.scores else score)
        return severity

    def _learn(self, score: float) -> None:
        self.scores += 1
        weight = 1 / min(self.scores, _MOST_SCORES)
        delta = score - self.mean
        self.mean += weight * delta
        self.variance = (1 - weight) * (self.variance + weight * delta * delta)
        if self.scores % _BLOCK == 0:
            self.earlier_peaks, self.peaks = self.peaks, []
            self._adapt_cutoff()

    def _follow_peak(self, smoothed: float) -> None:
        if smoothed > max(self.peak, _LEAST_PEAK):
            self.peak, self.since_peak = smoothed, 0
        else:
            self.since_peak += 1
            if self.since_peak > _PEAK_ENDS:
                self.peaks = _largest([*self.peaks, self.peak])
                self.peak, self.since_peak = 0.0, 0
                self._adapt_cutoff()

    def _adapt_cutoff(self) -> None:
        """Set the cutoff by the peak level: scores that often peak must exceed their own peaks."""
        largest = _largest([*self.peaks, *self.earlier_peaks])
        level = largest[-1] if len(largest) == DEFAULT.peak_rank else 0.0
        self.cutoff = self.least + DEFAULT.peak_share * level

    def to_payload(self) -> dict[str, Any]:
        """Return the baseline as JSON values."""
        return {name: getattr(self, name) for name in _STORED}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "ScoreBaseline":
        """Read back what `to_payload` returned."""
        return cls(**payload)


_OF_FEATURE = ("least", "single")
_STORED = tuple(each.name for each in fields(ScoreBaseline) if each.name not in _OF_FEATURE)


def _largest(peaks: Sequence[float]) -> list[float]:
    return sorted(peaks, reverse=True)[: DEFAULT.peak_rank]
