"""Publishing a scored window: metrics first, then records, the watermark last."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from cutwatch.aws.cloudwatch import publish
from cutwatch.aws.limits import METRIC_MAX_AGE
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import WindowDescription
from cutwatch.datasets.forest_arrays import read_scores as read_forest_scores
from cutwatch.datasets.keys import scores_prefix
from cutwatch.datasets.storage import read_description, read_epochs, read_scores
from cutwatch.detection.anomalies import WindowAnomalies, detect_anomalies, measure_window
from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.detection.band import ExpectedBand
from cutwatch.detection.expected_band import expected_band
from cutwatch.detection.incidents import (
    continue_incidents,
    incident_pause,
    last_event,
    with_known_ids,
)
from cutwatch.detection.reporting_gaps import ignored_outage
from cutwatch.detection.scored_window import ScoredWindow
from cutwatch.errors import TRANSIENT, CutwatchError
from cutwatch.publishing.checkpoints import carried_checkpoint, delete_superseded
from cutwatch.publishing.datums import datapoint_datums, summary_datums
from cutwatch.publishing.live_audit import LiveAudit
from cutwatch.publishing.window_outcome import window_outcome
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.outcome import Outcome, failure
from cutwatch.registry.pending_scores import pending_after
from cutwatch.runs.batch import Batch

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

# CloudWatch measures the age of a datapoint when the request arrives, not when it is made.
_ON_THE_WAY = timedelta(minutes=1)


@dataclass(frozen=True, eq=False)
class _Findings:
    """The detected part of a window that CloudWatch still accepts, its events with their incidents' ids, and its expected range."""

    publishable: WindowAnomalies
    events: Sequence[AnomalyEvent]
    outcome: Outcome
    band: ExpectedBand


@dataclass(frozen=True)
class Published:
    """The counts of one published window."""

    datapoints: int
    anomalous_datapoints: int
    new_events: int


@dataclass(frozen=True)
class WindowPublisher:
    """Publishes the scored windows of a batch. `now` is the time at which alarms see their summaries."""

    cloudwatch: "CloudWatchClient"
    bucket: Bucket
    batch: Batch
    namespace: str
    alarm_window: timedelta
    now: datetime

    def publish(self, dataset: Dataset, scoring: str) -> Published:
        """Detect anomalies in the scores that a job or forest named `scoring` wrote, publish and count them.

        The order makes a repetition after any failure safe: CloudWatch metrics and records are written again with
        the same content, the superseded checkpoint is deleted while the registry still names it, and only then does
        the watermark move.
        """
        description = read_description(WindowDescription, self.bucket, dataset.prefix)
        record = self.batch.registry.detectors.get(description.detector.name)
        findings = self._detect(description, record, scoring)
        self._publish_metrics(findings, record)
        self._record_events_and_outcome(findings)
        self._delete_superseded_checkpoint(description, record, scoring)
        self._move_watermark(description, record, findings, scoring)
        return _counts(findings.outcome)

    def _detect(
        self, description: WindowDescription, record: DetectorRecord, scoring: str
    ) -> _Findings:
        """Datapoints that have become too old for CloudWatch are counted as lost, not published."""
        detector = description.detector
        window = self._scored_window(description, scoring)
        measured = measure_window(window, detector, description.recipe)
        found = detect_anomalies(window, detector, measured, description.threshold)
        oldest = int((self.now - METRIC_MAX_AGE + _ON_THE_WAY).timestamp())
        publishable = found.since(oldest)
        lost = description.lost_periods + len(found.epochs) - len(publishable.epochs)
        before = record.event_before(self.batch.run.id)
        events = continue_incidents(found.events, before, detector.period)
        audit = LiveAudit(self.batch.registry.claims, self.batch.run, self.now)
        claims = audit.known(detector, events)
        events = with_known_ids(
            events, [each.event for each in claims], incident_pause(detector.period)
        )
        outcome = window_outcome(
            detector,
            window.start,
            publishable,
            events,
            lost,
            self.alarm_window,
            before,
            ignored_outage(window.observed, detector, window.start),
        )
        series = window.observed.usable(detector)
        band = expected_band(series, measured.expectation, window.start)
        return _Findings(publishable, events, audit.claim(outcome, claims), band)

    def _scored_window(self, description: WindowDescription, scoring: str) -> ScoredWindow:
        dataset = description.dataset
        if dataset.rows == 0:
            return description.scored(np.empty(0, np.int64), np.empty((0, 1)))
        prefix = scores_prefix(dataset.detector, scoring)
        if description.detector.engine == "lambda":
            return description.scored(*read_forest_scores(self.bucket, prefix, dataset.rows))
        scores = read_scores(self.bucket, prefix, dataset.files, dataset.rows)
        return description.scored(read_epochs(self.bucket, dataset.prefix), scores)

    def _publish_metrics(self, findings: _Findings, record: DetectorRecord) -> None:
        outcome = findings.outcome
        datums = datapoint_datums(findings.publishable, outcome.detector)
        # If this run has moved the watermark already, alarms have seen its summary; a new timestamp would raise them again.
        if record.last_run != self.batch.run.id:
            datums += summary_datums(outcome, self.now)
        publish(self.cloudwatch, self.namespace, datums)

    def _record_events_and_outcome(self, findings: _Findings) -> None:
        registry, run, outcome = self.batch.registry, self.batch.run, findings.outcome
        events = [RecordedEvent(outcome.detector, event, run.id) for event in findings.events]
        registry.events.record(events, run.opened_at)
        registry.bands.record(outcome.detector, findings.band, run.opened_at)
        registry.outcomes.record(run.id, run.opened_at, outcome)

    def _delete_superseded_checkpoint(
        self, description: WindowDescription, record: DetectorRecord, scoring: str
    ) -> None:
        published = record.published_through
        if published is None or published < description.end:
            carried = carried_checkpoint(description, scoring)
            delete_superseded(self.bucket, record, carried, last_try=self.batch.last_try)

    def _move_watermark(
        self,
        description: WindowDescription,
        record: DetectorRecord,
        findings: _Findings,
        scoring: str,
    ) -> None:
        run, detector, events = self.batch.run, description.detector, findings.events
        published = findings.publishable.epochs
        before = record.event_before(run.id)
        with self._recording_failure(detector.name):
            self.batch.registry.detectors.advance(
                detector.name,
                description.end,
                run.id,
                last_event(events, before),
                before,
                carried_checkpoint(description, scoring),
                detector.to_payload(),
                pending_after(published.tolist(), detector.period, self.now, record.pending),
            )

    @contextmanager
    def _recording_failure(self, detector: str) -> Iterator[None]:
        """Replace the outcome of this window if the watermark does not move: the next run publishes the window again."""
        try:
            yield
        except CutwatchError as error:
            if not isinstance(error, TRANSIENT) or self.batch.last_try:
                outcome = failure(detector, type(error).__name__, str(error))
                run = self.batch.run
                self.batch.registry.outcomes.record(run.id, run.opened_at, outcome, keeps=())
            raise


def _counts(outcome: Outcome) -> Published:
    return Published(outcome.datapoints, outcome.anomalous_datapoints, outcome.new_events)
