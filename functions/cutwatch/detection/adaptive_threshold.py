"""From anomaly scores to events: the default judgement, the same for every engine's scores.

Scores are compared with those of the training data (standardised), a metric that always peaks must exceed its own habit,
and one event is raised per incident, where it begins. docs/detection.md has the measurements behind the numbers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cutwatch.detectors.detector import Sensitivity
from cutwatch.features.recipe import AUTOCORRELATED
from cutwatch.timeseries.arrays import Epochs, Floats

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class ThresholdParameters:
    """Every number of the judgement. One set for all metrics; none is tuned per metric."""

    smoothing: int = 3
    """Scores averaged before they are judged (datapoints); more is calmer and later."""
    deviation_floor: float = 0.4
    """Added to the standard deviation of the training scores (score units): calms forests that scored evenly."""
    baseline_datapoints: int = 4_000
    """How many of the latest training scores give mean and deviation (datapoints)."""
    peak_distance_hours: float = 2
    """Of peaks nearer than this to each other only the highest counts (hours)."""
    onset_hours: float = 6
    """How far before its peak an event of a noisy metric may begin (hours): changes of level build up."""
    smooth_onset_hours: float = 2
    """The same for smooth metrics, whose incidents are sudden."""
    onset_share: float = 0.5
    """The standardised, as a share of the peak's, at which an event begins."""
    bar: float = 0.5
    """The least standardised of an event (standard deviations); lower finds more and cries wolf more."""
    smooth_bar: float = 2.0
    """The fixed cutoff for smooth metrics, whose incidents are sudden and frequent (standard deviations)."""
    smooth_explained: float = AUTOCORRELATED
    """From this share of variance explained by one step on, a metric counts as smooth."""
    recurring_peak_days: float = 7
    """How far before a window habit looks (days)."""
    recurring_peak_rank: int = 3
    """The how many-th largest peak is the habit: two real incidents do not make one."""
    recurring_peak_share: float = 0.7
    """The share of the habit by which the bar is raised."""
    recurring_peak_cap: float = 9.0
    """The most by which habit raises the bar (standard deviations)."""

    @property
    def lead_in_seconds(self) -> int:
        """How much before a window habit and smoothing need to see."""
        return round(self.recurring_peak_days * DAY + 2 * self.peak_distance_hours * HOUR)

    def onset_seconds(self, baseline: "Baseline") -> int:
        """How far before its peak an event may begin."""
        hours = self.smooth_onset_hours if baseline.smooth else self.onset_hours
        return round(hours * HOUR)

    @property
    def same_incident_seconds(self) -> int:
        """An event that begins no later than this after another one's end goes on with it."""
        return round(self.peak_distance_hours * HOUR)

    @property
    def rejudged_seconds(self) -> int:
        """How much of the window before is judged again, because its peaks could not see beyond their window."""
        return round(self.peak_distance_hours * HOUR)


DEFAULT = ThresholdParameters()
# What multiplies the cutoff.
SENSITIVITY: Mapping[Sensitivity, float] = {"low": 1.5, "medium": 1.0, "high": 0.7}


@dataclass(frozen=True)
class Baseline:
    """The training scores' mean and standard deviation, frozen with the model; `smooth` picks the bar."""

    mean: float
    standard_deviation: float
    smooth: bool

    @classmethod
    def of_scores(
        cls,
        scores: Floats,
        explained: float,
        parameters: ThresholdParameters = DEFAULT,
    ) -> Self:
        """Of the latest of training scores (n,), at least one and all finite."""
        recent = scores[-parameters.baseline_datapoints :]
        smooth = explained >= parameters.smooth_explained
        return cls(float(np.mean(recent)), float(np.std(recent)), bool(smooth))

    def to_payload(self) -> dict[str, Any]:
        """As it is registered."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> Self:
        """Read back what `to_payload` wrote."""
        return cls(
            float(payload["mean"]), float(payload["standard_deviation"]), bool(payload["smooth"])
        )


@dataclass(frozen=True)
class Event:
    """Positions among the judged rows: where it begins, peaks, and ends (included)."""

    onset: int
    peak: int
    end: int
    severity: float


@dataclass(frozen=True, eq=False)
class Detection:
    """For every row (n,) its severity, 1.0 being the cutoff; the events; the cutoff as a score."""

    severities: Floats
    events: tuple[Event, ...]
    cutoff: float


def detect(
    epochs: Epochs,
    scores: Floats,
    period: int,
    detect_from: int,
    baseline: Baseline,
    sensitivity: Sensitivity = "medium",
    parameters: ThresholdParameters = DEFAULT,
) -> Detection:
    """Judge the rows from epoch second `detect_from` on; the rows before it are lead-in for habit and smoothing."""
    if not len(epochs):
        return Detection(np.empty(0), (), float("nan"))
    standardised = standardised_scores(scores, baseline, parameters)
    peaks = find_peaks(epochs, standardised, period, parameters)
    cutoff = SENSITIVITY[sensitivity] * cutoff_of(
        epochs[peaks], standardised[peaks], detect_from, baseline, parameters
    )
    severities = standardised / cutoff
    judged = peaks[epochs[peaks] >= detect_from]
    events = _events(epochs, severities, judged, parameters.onset_seconds(baseline), parameters)
    as_score = baseline.mean + cutoff * (baseline.standard_deviation + parameters.deviation_floor)
    return Detection(severities, tuple(events), as_score)


def standardised_scores(
    scores: Floats, baseline: Baseline, parameters: ThresholdParameters
) -> Floats:
    """How many deviations (n,) the latest scores of each row lie above those of the training data."""
    sums = np.concatenate([[0.0], np.cumsum(scores)])
    ends = np.arange(1, len(scores) + 1)
    starts = np.maximum(ends - parameters.smoothing, 0)
    smoothed = (sums[ends] - sums[starts]) / (ends - starts)
    deviation = baseline.standard_deviation + parameters.deviation_floor
    standardised: Floats = (smoothed - baseline.mean) / deviation
    return standardised


def find_peaks(
    epochs: Epochs, standardised: Floats, period: int, parameters: ThresholdParameters
) -> NDArray[np.intp]:
    """Positions that are the highest within `peak_distance_hours` on either side; the first of equals."""
    reach = max(round(parameters.peak_distance_hours * HOUR / period), 1)
    grid = (epochs - epochs[0]) // period
    padded = np.full(grid[-1] + 1 + 2 * reach, -np.inf)
    padded[grid + reach] = standardised
    highest = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1).max(axis=1)[grid]
    peaks: list[int] = []
    for position in np.flatnonzero(standardised == highest).tolist():
        repeats = peaks and grid[position] - grid[peaks[-1]] <= reach
        if not repeats:
            peaks.append(position)
    return np.array(peaks, np.intp)


def cutoff_of(
    peak_epochs: Epochs,
    peak_scores: Floats,
    detect_from: int,
    baseline: Baseline,
    parameters: ThresholdParameters,
) -> float:
    """The standardised score that is an anomaly in a window from `detect_from` on, given the peaks (n,) known so far."""
    if baseline.smooth:
        return parameters.smooth_bar
    recent = peak_scores[peak_epochs >= detect_from - parameters.recurring_peak_days * DAY]
    rank = parameters.recurring_peak_rank
    habit = float(np.partition(recent, -rank)[-rank]) if len(recent) >= rank else 0.0
    return parameters.bar + min(
        parameters.recurring_peak_share * max(habit, 0.0), parameters.recurring_peak_cap
    )


def _events(
    epochs: Epochs,
    severities: Floats,
    peaks: NDArray[np.intp],
    onset_seconds: int,
    parameters: ThresholdParameters,
) -> list[Event]:
    """One event per incident: a peak in what an event before it still covers belongs to that event.

    An event never begins before the end of the one before it, so that a second incident soon after the first is seen.
    """
    events: list[Event] = []
    for peak in peaks[severities[peaks] >= 1].tolist():
        earliest = int(np.searchsorted(epochs, epochs[peak] - onset_seconds))
        covered = bool(events) and peak <= events[-1].end
        free = events[-1].end + 1 if events and not covered else 0
        onset = _onset(severities, max(earliest, free), peak, parameters.onset_share)
        event = Event(onset, peak, _end(severities, peak), float(severities[peak]))
        if covered:
            events[-1] = _merged(events[-1], event)
        else:
            events.append(event)
    return events


def _onset(severities: Floats, earliest: int, peak: int, share: float) -> int:
    reached = severities[earliest : peak + 1] >= share * severities[peak]
    return earliest + int(np.argmax(reached))


def _end(severities: Floats, peak: int) -> int:
    below = np.flatnonzero(severities[peak:] < 1)
    return int(peak + below[0] - 1) if len(below) else len(severities) - 1


def _merged(first: Event, second: Event) -> Event:
    graver = max(first, second, key=lambda event: event.severity)
    return Event(first.onset, graver.peak, max(first.end, second.end), graver.severity)
