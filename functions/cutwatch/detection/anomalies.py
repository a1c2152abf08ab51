"""From the scores of a window to its anomalies: values in, values out, the same for batches, backtests and streams."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from cutwatch.detection.adaptive_threshold import Event
from cutwatch.detection.anomaly_event import AnomalyEvent, event_id
from cutwatch.detection.channels import Measured, measure
from cutwatch.detection.deviation import Deviation, is_worth_raising, largest_deviation
from cutwatch.detection.missed_excursions import missed_deviation
from cutwatch.detection.parameters import DEFAULT, SENSITIVITY, ThresholdParameters
from cutwatch.detection.reporting_gaps import gap_events, reporting_gaps
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.thresholds import Detection, Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.features.expectation import Expectation
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.timeseries.arrays import Epochs, Floats
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import format_timestamp


@dataclass(frozen=True, eq=False)
class WindowAnomalies:
    """The classified datapoints of a window, and its events in order of time.

    `epochs` (n,) are seconds, `anomalies` (n,) 0 or 1, `scores` and `severities` (n,) NaN where there is none.
    `cutoff` is the score from which a datapoint was anomalous; None where nothing was scored.
    """

    epochs: Epochs
    anomalies: NDArray[np.int64]
    scores: Floats
    severities: Floats
    events: tuple[AnomalyEvent, ...]
    cutoff: float | None

    @property
    def max_score(self) -> float | None:
        """The highest score; None if nothing was scored."""
        return None if np.isnan(self.scores).all() else float(np.nanmax(self.scores))

    def since(self, epoch: int) -> "WindowAnomalies":
        """Return the datapoints from an epoch second on, with all events."""
        keep = self.epochs >= epoch
        return replace(
            self,
            epochs=self.epochs[keep],
            anomalies=self.anomalies[keep],
            scores=self.scores[keep],
            severities=self.severities[keep],
        )


def measure_window(
    window: ScoredWindow,
    detector: Detector,
    recipe: FeatureRecipe,
    parameters: ThresholdParameters = DEFAULT,
    expectation: Expectation | None = None,
) -> Measured:
    """Measure a window; the result holds for every sensitivity. `expectation` is that of its series, if it is known."""
    scores = {
        feature: window.on_grid(own) for feature, own in recipe.by_feature(window.scores).items()
    }
    series = window.observed.usable(detector)
    return measure(
        series,
        window.start,
        scores,
        detector.time_zone,
        parameters,
        expectation,
        static=detector.engine == "sagemaker",
    )


def detect_anomalies(
    window: ScoredWindow, detector: Detector, measured: Measured, threshold: Threshold
) -> WindowAnomalies:
    """Classify the datapoints of a window and find its events.

    Drop events that the detector's direction or minimum deviation excludes. Add reporting gaps, if the detector
    counts missing data as anomalous.
    """
    detection = threshold.apply(window, detector, measured)
    series = window.observed.usable(detector)
    epochs = series.epochs
    found = [(event, _deviation(series, measured, detector, event)) for event in detection.events]
    raised = [(event, dev) for event, dev in found if is_worth_raising(dev, detector)]
    anomalies = np.zeros(len(series), np.int64)
    for event, _ in raised:
        anomalies[event.onset : event.end + 1] = 1
    inside = window.epochs[window.epochs >= window.start]
    places = window.positions(inside)
    classified = WindowAnomalies(
        epochs=inside,
        anomalies=anomalies[places],
        scores=detection.scores[places],
        severities=detection.severities[places],
        events=tuple(
            _anomaly_event(epochs, detection, detector, event, dev) for event, dev in raised
        ),
        cutoff=detection.cutoff if len(inside) else None,
    )
    if detector.missing_data != "anomalous":
        return classified
    return _add_gaps(classified, window, detector)


def _deviation(
    series: Series, measured: Measured, detector: Detector, event: Event
) -> Deviation | None:
    """Return the largest deviation of an event, be it of a datapoint or of one that did not come."""
    epochs = series.epochs
    found = largest_deviation(
        series, measured.expectation, int(epochs[event.onset]), int(epochs[event.end])
    )
    if measured.missed is None or detector.cutoff.method != "adaptive":
        return found
    inside = np.nan_to_num(measured.missed[event.onset : event.end + 1])
    place = event.onset + int(np.argmax(inside))
    if measured.missed[place] < SENSITIVITY[detector.sensitivity]:
        return found
    missed = missed_deviation(series, detector.time_zone, place, DEFAULT)
    if found is None or (missed and abs(missed.amount) > abs(found.amount)):
        return missed
    return found


def _anomaly_event(
    epochs: Epochs,
    detection: Detection,
    detector: Detector,
    event: Event,
    deviation: Deviation | None,
) -> AnomalyEvent:
    start = _timestamp(epochs[event.onset])
    found = AnomalyEvent(
        id=event_id(detector.name, start),
        start=start,
        end=_timestamp(epochs[event.end]),
        peak_time=_timestamp(epochs[event.peak]),
        datapoints=event.end - event.onset + 1,
        severity=event.severity,
        score=float(np.nanmax(detection.scores[event.onset : event.end + 1])),
        driver=event.driver,
        continues=event.follows,
        period_seconds=detector.period,
        unit=detector.value_unit,
    )
    if deviation is None:
        return found
    return replace(
        found,
        value=deviation.value,
        expected=deviation.expected,
        expected_low=deviation.low,
        expected_high=deviation.high,
    )


def _add_gaps(found: WindowAnomalies, window: ScoredWindow, detector: Detector) -> WindowAnomalies:
    gaps = reporting_gaps(window.observed, detector, window.start)
    unscored = np.full(len(gaps), np.nan)
    epochs = np.concatenate([found.epochs, gaps])
    order = np.argsort(epochs, kind="stable")
    events = [*found.events, *gap_events(gaps, detector)]
    return WindowAnomalies(
        epochs=epochs[order],
        anomalies=np.concatenate([found.anomalies, np.ones(len(gaps), np.int64)])[order],
        scores=np.concatenate([found.scores, unscored])[order],
        severities=np.concatenate([found.severities, unscored])[order],
        events=tuple(sorted(events, key=lambda event: event.start)),
        cutoff=found.cutoff,
    )


def _timestamp(epoch: np.int64) -> str:
    return format_timestamp(datetime.fromtimestamp(int(epoch), UTC))
