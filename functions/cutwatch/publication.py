"""Publishing: 0/1 and score per datapoint, a summary stamped "now", the watermark, the outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.aws_limits import METRIC_MAX_AGE
from cutwatch.bucket import Bucket
from cutwatch.errors import NotFound
from cutwatch.judgement import DEFAULT
from cutwatch.metrics import (
    ANOMALOUS_DATAPOINTS,
    ANOMALY,
    ANOMALY_SCORE,
    MAX_ANOMALY_SCORE,
    Datum,
    datum,
    publish,
)
from cutwatch.moments import parse_moment
from cutwatch.outcomes import AnomalyEvent, Outcome
from cutwatch.registry import LastEvent, Registry
from cutwatch.runs import Run
from cutwatch.storage import find_description, read_epochs, read_scores
from cutwatch.verdicts import ScoredWindow, Verdicts

_LISTED_EVENTS = 20


def publish_window(
    cloudwatch: Any,
    registry: Registry,
    bucket: Bucket,
    run: Run,
    dataset: Mapping[str, Any],
    scores_prefix: str | None,
    namespace: str,
    now: datetime,
) -> Outcome:
    """Judge a scored window and publish it; `scores_prefix` is None where there was nothing to score.

    Datapoints that have become too old for CloudWatch are counted in the outcome's message, not published.
    """
    window = _read(bucket, dataset, scores_prefix)
    description, detector = window.description, window.detector
    judged = window.verdicts()
    publishable = judged.since(int((now - METRIC_MAX_AGE).timestamp()) + 60)
    lost = description["lost_periods"] + len(judged.epochs) - len(publishable.epochs)
    before = registry.detector(detector.name).event_before(run.id)
    events = continued(judged.events, before, detector.period)
    outcome = _outcome(detector.name, window.start, publishable, events, lost)
    datums = _datapoint_datums(publishable, detector.name) + summary_datums(outcome, run.moment)
    publish(cloudwatch, namespace, datums)
    registry.record_outcome(run.id, run.moment, outcome)
    last = LastEvent(events[-1].id, events[-1].end) if events else before
    registry.advance(detector.name, parse_moment(description["end"]), run.id, last, before)
    return outcome


def continued(
    events: Sequence[AnomalyEvent], before: LastEvent | None, period: int
) -> list[AnomalyEvent]:
    """Events that begin within the last one told, or soon after it, bear its id: they are the same incident."""
    soon = timedelta(seconds=max(DEFAULT.same_incident_seconds, period))
    result: list[AnomalyEvent] = []
    for event in events:
        last = LastEvent(result[-1].id, result[-1].end) if result else before
        if last and parse_moment(event.start) <= parse_moment(last.end) + soon:
            known = replace(event, id=last.id, continues=True)
            result.append(known)
        else:
            result.append(event)
    return result


def _read(bucket: Bucket, dataset: Mapping[str, Any], scores_prefix: str | None) -> ScoredWindow:
    description = find_description(bucket, dataset["prefix"])
    if description is None:
        raise NotFound("GetObject", "NoSuchKey", f"no dataset below {dataset['prefix']}")
    if scores_prefix is None:
        return ScoredWindow(description, np.empty(0, np.int64), np.empty(0))
    return ScoredWindow(
        description,
        read_epochs(bucket, dataset["prefix"]),
        read_scores(bucket, scores_prefix, dataset["files"], dataset["rows"]),
    )


def _outcome(
    detector: str,
    start: int,
    published: Verdicts,
    events: Sequence[AnomalyEvent],
    lost: int,
) -> Outcome:
    anomalous = int(published.anomalies.sum())
    own = int(np.count_nonzero(published.epochs >= start))
    new = [event for event in events if not event.continues]
    message = (
        f"{len(new)} new event{'s' * (len(new) != 1)}, {anomalous} of {own} datapoints anomalous"
    )
    if lost:
        message += f"; {lost} datapoints lost, older than the two weeks that CloudWatch accepts"
    gravest_first = sorted(new, key=lambda event: -(event.severity or np.inf))
    return Outcome(
        detector=detector,
        status="PUBLISHED",
        message=message,
        datapoints=own,
        anomalous_datapoints=anomalous,
        max_anomaly_score=published.max_score,
        cutoff=published.cutoff,
        new_events=len(new),
        events=tuple(gravest_first[:_LISTED_EVENTS]),
    )


def _datapoint_datums(published: Verdicts, detector: str) -> list[Datum]:
    dimensions = {"Detector": detector}
    datums = []
    for epoch, anomaly, score in zip(
        published.epochs.tolist(),
        published.anomalies.tolist(),
        published.scores.tolist(),
        strict=True,
    ):
        moment = datetime.fromtimestamp(epoch, UTC)
        datums.append(datum(ANOMALY, anomaly, moment, dimensions))
        if not np.isnan(score):
            datums.append(datum(ANOMALY_SCORE, score, moment, dimensions))
    return datums


def summary_datums(outcome: Outcome, now: datetime) -> list[Datum]:
    """What alarms read, stamped now: alarms never look at back-filled datapoints."""
    dimensions = {"Detector": outcome.detector}
    datums = [datum(ANOMALOUS_DATAPOINTS, outcome.anomalous_datapoints, now, dimensions)]
    if outcome.max_anomaly_score is not None:
        datums.append(datum(MAX_ANOMALY_SCORE, outcome.max_anomaly_score, now, dimensions))
    return datums
