"""What is published of a scored window: 0/1 per datapoint, and the events behind the ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.adaptive_threshold import Event, detect
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.channels import Measured, measure
from cutwatch.detection.deviation import Deviation, is_worth_raising, largest_deviation
from cutwatch.detection.parameters import DEFAULT, ThresholdParameters
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.detector import Detector, Sensitivity
from cutwatch.detectors.exclusions import excluded
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import format_timestamp, parse_timestamp

Floats = NDArray[np.float64]
Epochs = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Epoch seconds, 0/1, scores and severities (NaN where there is none), each (n,); the events in order of time.

    `cutoff` is the score that was judged as anomalous in this window; None where nothing was scored.
    """

    epochs: Epochs
    anomalies: NDArray[np.int64]
    scores: Floats
    severities: Floats
    events: tuple[AnomalyEvent, ...]
    cutoff: float | None

    @property
    def max_score(self) -> float | None:
        """The highest score, if anything was scored."""
        return None if np.isnan(self.scores).all() else float(np.nanmax(self.scores))

    def since(self, epoch: int) -> "Verdicts":
        """The datapoints from this epoch second on, with all events."""
        keep = self.epochs >= epoch
        return replace(
            self,
            epochs=self.epochs[keep],
            anomalies=self.anomalies[keep],
            scores=self.scores[keep],
            severities=self.severities[keep],
        )


@dataclass(frozen=True, eq=False)
class _Judged:
    """On the grid of the series (n,): what is published as score, and severity; the events; the cutoff of the scores."""

    scores: Floats
    severities: Floats
    events: tuple[Event, ...]
    cutoff: float


@dataclass(frozen=True, eq=False)
class ScoredWindow:
    """A dataset's description with the scores of its rows: epochs (n,), scores (n, k)."""

    description: Mapping[str, Any]
    epochs: Epochs
    scores: Floats
    parameters: ThresholdParameters = DEFAULT

    @cached_property
    def detector(self) -> Detector:
        """As it was configured when the dataset was stored."""
        return Detector.from_payload(self.description["detector"])

    @cached_property
    def recipe(self) -> FeatureRecipe:
        """By which its rows were made."""
        return FeatureRecipe.from_payload(self.description["recipe"])

    @cached_property
    def start(self) -> int:
        """Epoch second of the first datapoint to publish; rows before it are lead-in."""
        return int(parse_timestamp(self.description["start"]).timestamp())

    @cached_property
    def observed(self) -> Series:
        """The series as CloudWatch had it, gaps as NaN."""
        values = [np.nan if v is None else v for v in self.description["values"]]
        start = parse_timestamp(self.description["series_start"])
        return Series(start, self.detector.period, np.array(values, np.float64))

    @cached_property
    def measured(self) -> Measured:
        """What the threshold is applied to, and what was expected; the same for every sensitivity."""
        series = self.observed.usable(self.detector)
        scores = self.recipe.by_feature(self.scores)
        on_grid = {feature: self._on_grid(own, len(series)) for feature, own in scores.items()}
        return measure(series, self.start, on_grid, self.detector.time_zone, self.parameters)

    def verdicts(self, sensitivity: Sensitivity | None = None) -> Verdicts:
        """Judge the window by its detector's method, then leave out events that nobody asked to hear of."""
        detector = self.detector
        series, expectation = self.observed.usable(detector), self.measured.expectation
        detection = _METHODS[self.description["cutoff_method"]](
            self, sensitivity or detector.sensitivity
        )
        found = [
            (event, largest_deviation(series, expectation, *self._span(event)))
            for event in detection.events
        ]
        raised = [(e, d) for e, d in found if is_worth_raising(d, detector)]
        anomalies = np.zeros(len(series), np.int64)
        for event, _ in raised:
            anomalies[event.onset : event.end + 1] = 1
        inside = self.epochs[self.epochs >= self.start]
        places = self._positions(inside)
        verdicts = Verdicts(
            inside,
            anomalies[places],
            detection.scores[places],
            detection.severities[places],
            tuple(self._published(event, detection, deviation) for event, deviation in raised),
            detection.cutoff if len(inside) else None,
        )
        return self._with_outages(verdicts) if detector.missing_data == "anomalous" else verdicts

    def _positions(self, epochs: Epochs) -> NDArray[np.int64]:
        series = self.observed
        return np.asarray((epochs - int(series.start.timestamp())) // series.period)

    def _on_grid(self, scores: Floats, size: int) -> Floats:
        grid = np.full(size, np.nan)
        grid[self._positions(self.epochs)] = scores
        return grid

    def _span(self, event: Event) -> tuple[int, int]:
        epochs = self.observed.epochs
        return int(epochs[event.onset]), int(epochs[event.end])

    def _published(
        self, event: Event, detection: _Judged, deviation: Deviation | None
    ) -> AnomalyEvent:
        first, last = self._span(event)
        facts: dict[str, float] = (
            {}
            if deviation is None
            else {
                "value": deviation.value,
                "expected": deviation.expected,
                "expected_low": deviation.low,
                "expected_high": deviation.high,
            }
        )
        return AnomalyEvent(
            id=_event_id(self.detector.name, first),
            start=_iso(first),
            end=_iso(last),
            peak_time=_iso(int(self.observed.epochs[event.peak])),
            severity=event.severity,
            score=float(np.nanmax(detection.scores[event.onset : event.end + 1])),
            datapoints=event.end - event.onset + 1,
            driver=event.driver,
            continues=event.follows,
            **facts,
        )

    def _with_outages(self, verdicts: Verdicts) -> Verdicts:
        """Every gap in reporting published as 1, and each run of them an event."""
        observed = self.observed
        detector, epochs = self.detector, observed.epochs
        out = np.array(excluded(epochs.tolist(), detector.exclude, detector.time_zone), np.bool_)
        silent = observed.missing & ~out & (epochs >= self.start)
        gaps = epochs[silent]
        published = np.concatenate([verdicts.epochs, gaps])
        order = np.argsort(published, kind="stable")
        events = [*verdicts.events, *self._outages(gaps)]
        return Verdicts(
            published[order],
            np.concatenate([verdicts.anomalies, np.ones(len(gaps), np.int64)])[order],
            np.concatenate([verdicts.scores, np.full(len(gaps), np.nan)])[order],
            np.concatenate([verdicts.severities, np.full(len(gaps), np.nan)])[order],
            tuple(sorted(events, key=lambda event: event.start)),
            verdicts.cutoff,
        )

    def _outages(self, gaps: Epochs) -> list[AnomalyEvent]:
        return [
            AnomalyEvent(
                id=_event_id(self.detector.name, int(run[0])),
                start=_iso(int(run[0])),
                end=_iso(int(run[-1])),
                peak_time=_iso(int(run[0])),
                datapoints=len(run),
            )
            for run in _runs(gaps, self.detector.period)
        ]

    def by_adaptive_threshold(self, sensitivity: Sensitivity) -> _Judged:
        """The default: in multiples of the threshold, which is 1."""
        found = detect(self.observed.epochs, self.measured, self.start, sensitivity)
        return _Judged(found.severities, found.severities, found.events, 1.0)

    def by_training_cutoff(self, _: Sensitivity) -> _Judged:
        """Scores above mean + k standard deviations of the training scores."""
        return self._above(Cutoff.from_payload(self.description["cutoff"]))

    def by_window_cutoff(self, _: Sensitivity) -> _Judged:
        """Scores above mean + k standard deviations of the window's own scores."""
        frozen = Cutoff.from_payload(self.description["cutoff"])
        own = self.scores.max(axis=1)[self.epochs >= self.start]
        return self._above(Cutoff.of_scores(own, frozen.sigmas) if len(own) else frozen)

    def _above(self, cutoff: Cutoff) -> _Judged:
        scores = self._on_grid(self.scores.max(axis=1), len(self.observed))
        epochs = self.observed.epochs
        above = np.flatnonzero((scores > cutoff.value) & (epochs >= self.start))
        breaks = np.flatnonzero(np.diff(above) > 1) + 1
        runs = [run for run in np.split(above, breaks) if len(run)]
        severities = scores / cutoff.value
        events = tuple(_event_of(run, severities) for run in runs)
        return _Judged(scores, severities, events, cutoff.value)


def _event_of(run: NDArray[np.intp], severities: Floats) -> Event:
    first, peak, last = int(run[0]), int(run[np.argmax(severities[run])]), int(run[-1])
    return Event(first, peak, last, float(severities[peak]), float(severities[first]))


_METHODS: Mapping[str, Callable[[ScoredWindow, Sensitivity], _Judged]] = {
    "adaptive": ScoredWindow.by_adaptive_threshold,
    "training": ScoredWindow.by_training_cutoff,
    "window": ScoredWindow.by_window_cutoff,
}


def _runs(epochs: Epochs, period: int) -> list[Epochs]:
    breaks = np.flatnonzero(np.diff(epochs) > period) + 1
    return [run for run in np.split(epochs, breaks) if len(run)]


def _event_id(detector: str, onset: int) -> str:
    return f"{detector}:{_iso(onset)}"


def _iso(epoch: int) -> str:
    return format_timestamp(datetime.fromtimestamp(epoch, UTC))
