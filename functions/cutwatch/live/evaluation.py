"""One evaluation of a live detector's window: changes of its incidents, and what it shows of its newest datapoint."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Self

import numpy as np

from cutwatch.detection.anomalies import WindowAnomalies
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.incidents import incident_pause, with_known_ids
from cutwatch.detectors.detector import Detector
from cutwatch.live.incident_changes import Situation, incident_changes
from cutwatch.live.live_incident import IncidentChange, Incidents, LiveIncident
from cutwatch.live.live_series import LiveDetection, LiveSeries
from cutwatch.timestamps import format_timestamp


@dataclass(frozen=True)
class Newest:
    """The newest datapoint (ISO 8601), its severity in multiples of the cutoff, and what was expected; None if unknown."""

    time: str
    value: float | None
    severity: float | None
    expected: float | None
    expected_low: float | None
    expected_high: float | None

    def to_payload(self) -> dict[str, Any]:
        """Return the datapoint as JSON values."""
        return asdict(self)

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any] | None) -> Self | None:
        """Read back what `to_payload` returned."""
        return cls(**payload) if payload else None


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The window's events as a transform would record them, the changes, and the incidents to know in the next run."""

    found: WindowAnomalies
    events: tuple[AnomalyEvent, ...]
    changes: tuple[IncidentChange, ...]
    incidents: Incidents
    newest: Newest | None


def evaluate(
    series: LiveSeries,
    detector: Detector,
    known: Mapping[str, LiveIncident],
    now: datetime,
    *,
    restarted: bool = False,
) -> Evaluation:
    """Detect the events of the window so far, and compare them with the incidents that are known."""
    detection = series.detect(detector)
    events = detection.found.events
    at = Situation(
        start=datetime.fromtimestamp(series.model.start, UTC),
        through=series.observed.end,
        now=now,
        period=detector.period,
        before=series.model.before,
        outside_since=_outside_since(series, detection),
        restarted=restarted,
    )
    changes, incidents = incident_changes(events, known, at)
    named = with_known_ids(
        events, [each.event for each in incidents.values()], incident_pause(detector.period)
    )
    return Evaluation(
        detection.found, tuple(named), tuple(changes), incidents, _newest(series, detection)
    )


def _outside_since(series: LiveSeries, detection: LiveDetection) -> datetime | None:
    """Return the time since which every datapoint lies outside its expected range; None if the last one does not."""
    outside = detection.measured.expectation.outside
    if not len(outside) or not outside[-1]:
        return None
    inside = np.flatnonzero(~outside)
    return series.observed.time_at(int(inside[-1]) + 1 if len(inside) else 0)


def _newest(series: LiveSeries, detection: LiveDetection) -> Newest | None:
    known = np.flatnonzero(~series.observed.missing)
    if not len(known):
        return None
    last = int(known[-1])
    expectation = detection.measured.expectation
    epoch = int(series.observed.epochs[last])
    scored = np.flatnonzero(detection.found.epochs == epoch)
    severity = detection.found.severities[scored[-1]] if len(scored) else np.nan
    return Newest(
        format_timestamp(series.observed.time_at(last)),
        float(series.observed.values[last]),
        _number(severity),
        _number(expectation.values[last]),
        _number(expectation.low[last]),
        _number(expectation.high[last]),
    )


def _number(value: np.float64 | float) -> float | None:
    return None if np.isnan(value) else float(value)
