"""Publishing: 0/1 and score per datapoint, a summary stamped "now", the watermark, the outcome."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cutwatch.aws.cloudwatch import Datum, datum, publish
from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.keys import SCORES, next_state_key, scores_prefix
from cutwatch.datasets.storage import read_description, read_epochs, read_scores
from cutwatch.detection.adaptive_threshold import Baseline
from cutwatch.detection.anomalies import WindowAnomalies, detect_anomalies
from cutwatch.detection.anomaly_event import AnomalyEvent, LastEvent
from cutwatch.detection.incidents import continue_incidents
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.detection.thresholds import Threshold
from cutwatch.detectors.detector import Detector
from cutwatch.errors import TRANSIENT, CutwatchError
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.metric_names import (
    ANOMALOUS_DATAPOINTS,
    ANOMALOUS_DATAPOINTS_TOGETHER,
    ANOMALY,
    ANOMALY_SCORE,
    MAX_ANOMALY_SCORE,
)
from cutwatch.observability import logger
from cutwatch.registry.detector_record import CarriedState, DetectorRecord
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.outcome import Outcome, failure
from cutwatch.runs.batch import Batch
from cutwatch.timeseries.series import Series
from cutwatch.timestamps import parse_timestamp

_LISTED_EVENTS = 100


def publish_window(
    cloudwatch: Any,
    bucket: Bucket,
    batch: Batch,
    dataset: Mapping[str, Any],
    job: str,
    namespace: str,
    now: datetime,
    alarm_window: timedelta = timedelta(0),
) -> Outcome:
    """Judge what a job has scored (nothing, where the dataset has no rows) and publish it.

    Datapoints that have become too old for CloudWatch are counted in the outcome's message, not published. Where
    there is an `alarm_window`, the outcome says how many anomalous datapoints were within that time at most.
    """
    registry, run = batch.registry, batch.run
    description = read_description(bucket, dataset["prefix"])
    detector = Detector.from_payload(description["detector"])
    window = _scored_window(bucket, dataset, description, job)
    threshold = Threshold(
        description["cutoff_method"],
        Baseline.from_payload(description["baseline"]),
        Cutoff.from_payload(description["cutoff"]),
    )
    recipe = FeatureRecipe.from_payload(description["recipe"])
    judged = detect_anomalies(window, detector, recipe, threshold)
    publishable = judged.since(int((now - METRIC_MAX_AGE).timestamp()) + 60)
    lost = description["lost_periods"] + len(judged.epochs) - len(publishable.epochs)
    record = registry.detector(detector.name)
    before = record.event_before(run.id)
    events = continue_incidents(judged.events, before, detector.period)
    outcome = _outcome(detector, window.start, publishable, events, lost)
    if alarm_window:
        outcome = replace(outcome, datapoints_together=most_together(publishable, alarm_window))
    datums = _datapoint_datums(publishable, detector.name)
    # Where this run has moved the watermark already, alarms have seen its summary; a new stamp would raise them again.
    if record.last_run != run.id:
        datums += summary_datums(outcome, now)
    publish(cloudwatch, namespace, datums)
    found = [RecordedEvent(detector.name, event, run.id) for event in events]
    registry.record_events(found, run.moment)
    registry.record_outcome(run.id, run.moment, outcome)
    last = LastEvent(events[-1].id, events[-1].end) if events else before
    carried = _carried(dataset, description, job)
    end = parse_timestamp(description["end"])
    if record.published_through is None or record.published_through < end:
        _delete_superseded(bucket, batch, record, carried)
    with _admitting_failure(batch, detector.name):
        definition = detector.to_payload()
        registry.advance(detector.name, end, run.id, last, before, carried, definition)
    return outcome


@contextmanager
def _admitting_failure(batch: Batch, detector: str) -> Iterator[None]:
    """What keeps the watermark from moving replaces the outcome of this window: the next run publishes it again."""
    try:
        yield
    except CutwatchError as error:
        if not isinstance(error, TRANSIENT) or batch.last_try:
            outcome = failure(detector, type(error).__name__, str(error))
            batch.registry.record_outcome(batch.run.id, batch.run.moment, outcome, keeps=())
        raise


def _carried(
    dataset: Mapping[str, Any], description: Mapping[str, Any], job: str
) -> CarriedState | None:
    """Where the forest's state is after this window, if it is one that goes on learning."""
    if description["state"] is None:
        return None
    newest = next_state_key(dataset["detector"], job) if dataset["rows"] else description["state"]
    return CarriedState(description["model"], newest, description["state"])


def _delete_superseded(
    bucket: Bucket, batch: Batch, record: DetectorRecord, carried: CarriedState | None
) -> None:
    """The state that this window began with stays, for a repetition; the one before is of no more use.

    One that training left is kept as long as the model; one that escapes this expires with its scores. This comes
    before the watermark moves, for a retry would not find the superseded one in the registry any more.
    """
    kept = (carried.newest, carried.earlier) if carried else ()
    superseded = record.carried.earlier if record.carried else None
    if not superseded or superseded in kept or not superseded.startswith(SCORES):
        return
    try:
        bucket.delete(superseded)
    except CutwatchError as error:
        if isinstance(error, TRANSIENT) and not batch.last_try:
            raise
        logger.warning("superseded state not deleted, it expires by itself", reason=str(error))


def _scored_window(
    bucket: Bucket, dataset: Mapping[str, Any], description: Mapping[str, Any], job: str
) -> ScoredWindow:
    start = int(parse_timestamp(description["start"]).timestamp())
    observed = Series(
        parse_timestamp(description["series_start"]),
        description["detector"]["period"],
        np.array([np.nan if v is None else v for v in description["values"]], np.float64),
    )
    if dataset["rows"] == 0:
        return ScoredWindow(np.empty(0, np.int64), np.empty(0), observed, start)
    scores = read_scores(
        bucket, scores_prefix(dataset["detector"], job), dataset["files"], dataset["rows"]
    )
    epochs = read_epochs(bucket, dataset["prefix"])
    return ScoredWindow(epochs, scores, observed, start, description["follows"])


def _outcome(
    detector: Detector,
    start: int,
    published: WindowAnomalies,
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
    gravest_first = sorted(new, key=lambda event: -event.gravity)
    return Outcome(
        detector=detector.name,
        status="PUBLISHED",
        message=message,
        datapoints=own,
        anomalous_datapoints=anomalous,
        max_anomaly_score=published.max_score,
        cutoff=published.cutoff,
        new_events=len(new),
        events=tuple(gravest_first[:_LISTED_EVENTS]),
        definition=detector.to_payload() if new else None,
    )


def most_together(judged: WindowAnomalies, span: timedelta) -> int:
    """The largest number of anomalous datapoints whose timestamps lie less than `span` apart."""
    anomalous = np.sort(judged.epochs[judged.anomalies == 1])
    ends = np.searchsorted(anomalous, anomalous + int(span.total_seconds()))
    return int((ends - np.arange(len(anomalous))).max(initial=0))


def _datapoint_datums(published: WindowAnomalies, detector: str) -> list[Datum]:
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
    values = {
        ANOMALOUS_DATAPOINTS: outcome.anomalous_datapoints,
        MAX_ANOMALY_SCORE: outcome.max_anomaly_score,
        ANOMALOUS_DATAPOINTS_TOGETHER: outcome.datapoints_together,
    }
    dimensions = {"Detector": outcome.detector}
    return [datum(n, v, now, dimensions) for n, v in values.items() if v is not None]
