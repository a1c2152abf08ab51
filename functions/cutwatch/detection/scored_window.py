"""What is published of a scored window: 0/1 per datapoint, and the events behind the ones."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.adaptive_threshold import DEFAULT, Baseline, Detection, Event, detect
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.deviation import is_worth_raising, largest_deviation
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detectors.detector import Detector
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
class ScoredWindow:
    """A dataset's description with the scores of its rows: epochs (n,), scores (n,).

    `detect_rows` is the default judgement, or the same without look-ahead.
    """

    description: Mapping[str, Any]
    epochs: Epochs
    scores: Floats
    detect_rows: Callable[..., Detection] = detect

    @property
    def detector(self) -> Detector:
        """As it was configured when the dataset was stored."""
        return Detector.from_payload(self.description["detector"])

    @property
    def start(self) -> int:
        """Epoch second of the first datapoint to publish; rows before it are lead-in."""
        return int(parse_timestamp(self.description["start"]).timestamp())

    @property
    def observed(self) -> Series:
        """The series as CloudWatch had it, gaps as NaN."""
        values = [np.nan if v is None else v for v in self.description["values"]]
        start = parse_timestamp(self.description["series_start"])
        return Series(start, self.detector.period, np.array(values, np.float64))

    def verdicts(self) -> Verdicts:
        """Judge the window by its detector's method, then leave out events that nobody asked to hear of."""
        detector, recipe = self.detector, FeatureRecipe.from_payload(self.description["recipe"])
        series = self.observed.usable(detector)
        detection = _METHODS[self.description["cutoff_method"]](self)
        found = [
            (event, largest_deviation(series, recipe, *self._span(event)))
            for event in detection.events
        ]
        raised = [(e, d) for e, d in found if is_worth_raising(d, detector, recipe)]
        anomalies = np.zeros(len(self.epochs), np.int64)
        for event, _ in raised:
            anomalies[event.onset : event.end + 1] = 1
        inside = self.epochs >= self.start
        # Of the part that was published before, only a 0 that became 1 is published again, without a score.
        kept = inside | (anomalies == 1)
        verdicts = Verdicts(
            self.epochs[kept],
            anomalies[kept],
            np.where(inside, self.scores, np.nan)[kept],
            detection.severities[kept],
            tuple(self._told(event, deviation) for event, deviation in raised),
            detection.cutoff if len(self.epochs) else None,
        )
        return self._with_outages(verdicts) if detector.missing_data == "anomalous" else verdicts

    def _span(self, event: Event) -> tuple[int, int]:
        return int(self.epochs[event.onset]), int(self.epochs[event.end])

    def _told(self, event: Event, deviation: Any) -> AnomalyEvent:
        first, last = self._span(event)
        facts = (
            {}
            if deviation is None
            else {
                "value": deviation.value,
                "expected": deviation.expected,
                "expected_low": deviation.low,
                "expected_high": deviation.high,
                "driver": deviation.driver,
            }
        )
        return AnomalyEvent(
            id=_event_id(self.detector.name, first),
            start=_iso(first),
            end=_iso(last),
            peak_time=_iso(int(self.epochs[event.peak])),
            severity=event.severity,
            score=float(self.scores[event.onset : event.end + 1].max()),
            datapoints=event.end - event.onset + 1,
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

    def by_adaptive_threshold(self) -> Detection:
        """The default judgement; the end of the window before is judged again, now that its future is known."""
        again = DEFAULT.rejudged_seconds if self.description["follows"] else 0
        return self.detect_rows(
            self.epochs,
            self.scores,
            self.detector.period,
            self.start - again,
            Baseline.from_payload(self.description["baseline"]),
            self.detector.sensitivity,
        )

    def by_training_cutoff(self) -> Detection:
        """Scores above mean + k standard deviations of the training scores."""
        return self._above(Cutoff.from_payload(self.description["cutoff"]))

    def by_window_cutoff(self) -> Detection:
        """Scores above mean + k standard deviations of the window's own scores."""
        frozen = Cutoff.from_payload(self.description["cutoff"])
        own = self.scores[self.epochs >= self.start]
        return self._above(Cutoff.of_scores(own, frozen.sigmas) if len(own) else frozen)

    def _above(self, cutoff: Cutoff) -> Detection:
        above = np.flatnonzero((self.scores > cutoff.value) & (self.epochs >= self.start))
        breaks = np.flatnonzero(np.diff(self.epochs[above]) > self.detector.period) + 1
        runs = [run for run in np.split(above, breaks) if len(run)]
        events = tuple(self._event_of(run, cutoff) for run in runs)
        return Detection(self.scores / cutoff.value, events, cutoff.value)

    def _event_of(self, run: NDArray[np.intp], cutoff: Cutoff) -> Event:
        peak = int(run[np.argmax(self.scores[run])])
        return Event(int(run[0]), peak, int(run[-1]), float(self.scores[peak] / cutoff.value))


_METHODS: Mapping[str, Callable[[ScoredWindow], Detection]] = {
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
