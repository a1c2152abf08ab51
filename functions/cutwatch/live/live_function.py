"""The function of live detection: what its settings describe, and what an invocation does."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.errors import CutwatchError, InvalidInput
from cutwatch.live.bucket_run import BucketRun, RunReport
from cutwatch.live.live_metrics import publish_run
from cutwatch.live.live_store import LiveStore
from cutwatch.live.notifier import LiveNotifier
from cutwatch.live.plan import PlannedDetector, read_planned
from cutwatch.live.planning import Planner
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.live.stepping import Stepper
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.observability import logger
from cutwatch.registry.registry import Registry
from cutwatch.settings import LiveSettings

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@dataclass(frozen=True)
class LiveFunction:
    """Plan, buckets, series in memory and destinations, kept between invocations."""

    settings: LiveSettings
    planner: Planner
    cloudwatch: "CloudWatchClient"
    functions: Any
    bucket: Bucket
    store: LiveStore
    memory: SeriesMemory
    notifier: LiveNotifier

    def invoke(self, event: Any, now: datetime, has_time: Callable[[], bool]) -> dict[str, Any]:
        """Score the bucket that the event names; without one, all of them: one here, more in an invocation each."""
        number = _bucket_of(event)
        if number is not None:
            return self._score(number, now, has_time)
        plan = self.planner.plan(now)
        if len(plan.buckets) == 1:
            return self._score(plan.buckets[0], now, has_time)
        self._invoke_each(plan.buckets)
        return {"buckets": len(plan.buckets), "detectors": len(plan.assigned)}

    def _invoke_each(self, buckets: Iterable[int]) -> None:
        """Start an invocation for each bucket; one that cannot be started stops no other."""
        errors: list[CutwatchError] = []
        for number in buckets:
            try:
                self.functions.invoke(
                    FunctionName=self.settings.aws_lambda_function_name,
                    InvocationType="Event",
                    Payload=json.dumps({"bucket": number}).encode(),
                )
            except CutwatchError as error:
                errors.append(error)
        for first in errors:
            raise first

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
    cloudwatch, store = client("cloudwatch"), LiveStore(bucket)
    return LiveFunction(
        settings,
        Planner(folder / settings.detectors_file, cloudwatch, bucket, registry, store),
        cloudwatch,
        client("lambda"),
        bucket,
        store,
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
