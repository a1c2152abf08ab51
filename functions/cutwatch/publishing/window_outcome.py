"""The outcome of a published window."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from cutwatch.detection.anomalies import WindowAnomalies
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.incidents import joined_incidents
from cutwatch.detectors.detector import Detector
from cutwatch.registry.outcome import Outcome

_LISTED_EVENTS = 100


def window_outcome(
    detector: Detector,
    start: int,
    published: WindowAnomalies,
    events: Sequence[AnomalyEvent],
    lost: int,
    alarm_window: timedelta,
) -> Outcome:
    """Summarise the window from epoch second `start`: what was published, the new events, the `lost` datapoints.

    If alarms ask for several anomalous datapoints within an `alarm_window`, count the most that lie within one.
    """
    anomalous = int(published.anomalies.sum())
    own = int(np.count_nonzero(published.epochs >= start))
    new = [event for event in joined_incidents(events) if not event.continues]
    gravest_first = sorted(new, key=lambda event: -event.gravity)
    return Outcome(
        detector=detector.name,
        status="PUBLISHED",
        message=_sentence(len(new), anomalous, own, lost),
        datapoints=own,
        anomalous_datapoints=anomalous,
        max_anomaly_score=published.max_score,
        cutoff=published.cutoff,
        new_events=len(new),
        events=tuple(gravest_first[:_LISTED_EVENTS]),
        definition=detector.to_payload() if new else None,
        datapoints_together=most_together(published, alarm_window) if alarm_window else None,
    )


def _sentence(new: int, anomalous: int, datapoints: int, lost: int) -> str:
    message = f"{new} new event{'s' * (new != 1)}, {anomalous} of {datapoints} datapoints anomalous"
    if lost:
        message += f"; {lost} datapoints lost, older than the two weeks that CloudWatch accepts"
    return message


def most_together(published: WindowAnomalies, span: timedelta) -> int:
    """Return the largest number of anomalous datapoints whose timestamps lie less than `span` apart."""
    anomalous = np.sort(published.epochs[published.anomalies == 1])
    ends = np.searchsorted(anomalous, anomalous + int(span.total_seconds()))
    return int((ends - np.arange(len(anomalous))).max(initial=0))
