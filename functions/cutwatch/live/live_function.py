"""The function of live detection: what its settings describe, and what an invocation does."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.templates import watched
from cutwatch.errors import InvalidInput
from cutwatch.live.bucket_run import BucketRun, RunReport
from cutwatch.live.live_metrics import publish_run
from cutwatch.live.live_store import LiveStore
from cutwatch.live.notifier import LiveNotifier
from cutwatch.live.plan import (
    Plan,
    PlannedDetector,
    read_plan,
    read_planned,
    write_plan,
)
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.live.stepping import Stepper
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.observability import logger
from cutwatch.registry.detector_record import DetectorRecord
from cutwatch.registry.registry import Registry
from cutwatch.settings import LiveSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True)
class LiveFunction:
    """Buckets, series in memory and destinations, kept between invocations. `configuration` is the path of detectors.yaml."""

    settings: LiveSettings
    configuration: Path
    cloudwatch: "CloudWatchClient"
    functions: Any
    bucket: Bucket
    registry: Registry
    store: LiveStore
    memory: SeriesMemory
    notifier: LiveNotifier

    def invoke(self, event: Any, now: datetime, has_time: Callable[[], bool]) -> dict[str, Any]:
        """Score the bucket that the event names; without one, all of them: one here, more in an invocation each."""
        number = _bucket_of(event)
        if number is not None:
            return self._score(number, now, has_time)
        plan = self._plan(now)
        if len(plan.buckets) == 1:
            return self._score(plan.buckets[0], now, has_time)
        for each in plan.buckets:
            self.functions.invoke(
                FunctionName=self.settings.aws_lambda_function_name,
                InvocationType="Event",
                Payload=json.dumps({"bucket": each}).encode(),
            )
        return {"buckets": len(plan.buckets), "detectors": len(plan.assigned)}

    def _plan(self, now: datetime) -> Plan:
        content = self.configuration.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        earlier = read_plan(self.bucket)
        if earlier and not earlier.is_due(now, digest):
            return earlier
        planned = self._planned()
        return write_plan(self.bucket, planned, earlier, Plan(now, digest, {}))

    def _planned(self) -> list[PlannedDetector]:
        """Return the live detectors with their models, templates expanded."""
        found = watched(self.cloudwatch, load_configuration(self.configuration))
        for name, reason in found.problems:
            logger.error("template not expanded", detector=name, reason=reason)
        live = [detector for detector in found.detectors if detector.live]
        records = self.registry.detectors.all() if live else {}
        return [
            PlannedDetector.of(each, records.get(each.name) or DetectorRecord(each.name))
            for each in live
        ]

    def _score(self, number: int, now: datetime, has_time: Callable[[], bool]) -> dict[str, Any]:
        planned = read_planned(self.bucket, number)
        stepper = Stepper(self.bucket, self.memory, now, self.settings.gap)
        run = BucketRun(self.cloudwatch, self.store, stepper, self.notifier, has_time)
        report = run.score(number, planned)
        by_detector = self.settings.alarm_by_detector == "ENABLED"
        namespace = self.settings.anomaly_namespace
        publish_run(self.cloudwatch, namespace, planned, report, now, by_detector=by_detector)
        answer = _answer(number, planned, report)
        logger.info("scored", **answer)
        report.raise_first()
        return answer


@cache
def live_function(
    settings: LiveSettings, folder: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> LiveFunction:
    """Return what settings describe; `folder` has `detectors.yaml`."""
    bucket = Bucket(client("s3"), settings.bucket_name)
    registry = Registry(client("dynamodb"), settings.table_name)
    audience = Audience(
        client("events"),
        client("sns"),
        settings.topic_arn,
        settings.operations_topic_arn,
        settings.notification_severity,
    )
    place = StackPlace(settings.base_stack, settings.aws_region, settings.anomaly_namespace)
    return LiveFunction(
        settings,
        folder / settings.detectors_file,
        client("cloudwatch"),
        client("lambda"),
        bucket,
        registry,
        LiveStore(bucket),
        SeriesMemory(bucket),
        LiveNotifier(audience, registry, place, clock),
    )


def _bucket_of(event: Any) -> int | None:
    """Return the number of the bucket that an event names; None for a rule's event."""
    number = event.get("bucket") if isinstance(event, dict) else None
    if number is not None and (
        isinstance(number, bool) or not isinstance(number, int) or number < 0
    ):
        raise InvalidInput(f"bucket is {number!r:.60}; expected the number of a bucket, from 0 on")
    return number


def _answer(number: int, planned: list[PlannedDetector], report: RunReport) -> dict[str, Any]:
    return {
        "bucket": number,
        "detectors": len(planned),
        "scored": len(report.scored),
        "waiting": report.waiting,
        "changes": report.changes,
        "lasting": len(report.lasting),
        "errors": len(report.errors),
    }
