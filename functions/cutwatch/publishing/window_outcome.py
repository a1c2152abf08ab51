"""The outcome of a published window."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from cutwatch.detection.anomalies import WindowAnomalies
from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.incidents import news
from cutwatch.detectors.detector import Detector
from cutwatch.registry.outcome import Outcome
from cutwatch.wording import count

_LISTED_EVENTS = 100


def window_outcome(
    detector: Detector,
    start: int,
    published: WindowAnomalies,
    events: Sequence[AnomalyEvent],
    lost: int,
    alarm_window: timedelta,
    before: LastEvent | None = None,
    outage: tuple[str, str] | None = None,
) -> Outcome:
    """Summarise the window from epoch second `start`: what was published, the new events, the `lost` datapoints.

    The newest incident `before` the window is among the events if it goes on and has become more severe.

    If alarms ask for several anomalous datapoints within an `alarm_window`, count the most that lie within one.
    """
    anomalous = int(published.anomalies.sum())
    own = int(np.count_nonzero(published.epochs >= start))
    listed = news(events, before)
    new = [event for event in listed if not event.continues]
    most_severe_first = sorted(listed, key=lambda event: -event.comparable_severity)
    return Outcome(
        detector=detector.name,
        status="PUBLISHED",
        message=_sentence(len(new), len(listed) - len(new), anomalous, own, lost),
        datapoints=own,
        anomalous_datapoints=anomalous,
        max_anomaly_score=published.max_score,
        cutoff=published.cutoff,
        new_events=len(new),
        events=tuple(most_severe_first[:_LISTED_EVENTS]),
        definition=detector.to_payload() if listed or outage else None,
        datapoints_together=most_together(published, alarm_window) if alarm_window else None,
        outage=outage,
    )


def _sentence(new: int, worse: int, anomalous: int, datapoints: int, lost: int) -> str:
    message = f"{count(new, 'new event')}, {anomalous:,} of {datapoints:,} datapoints anomalous"
    if worse:
        message += "; an earlier event goes on and is more severe now"
    if lost:
        message += f"; {lost:,} datapoints lost, older than the two weeks that CloudWatch accepts"
    return message


def most_together(published: WindowAnomalies, span: timedelta) -> int:
    """Return the largest number of anomalous datapoints whose timestamps lie less than `span` apart."""
    anomalous = np.sort(published.epochs[published.anomalies == 1])
    ends = np.searchsorted(anomalous, anomalous + int(span.total_seconds()))
    return int((ends - np.arange(len(anomalous))).max(initial=0))
