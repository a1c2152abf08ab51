"""The function of live detection: what its settings describe, and what an invocation does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.errors import CutwatchError
from cutwatch.live.bucket_run import BucketRun, RunReport
from cutwatch.live.live_metrics import publish_run
from cutwatch.live.live_store import LiveStore
from cutwatch.live.notifier import LiveNotifier
from cutwatch.live.plan import PlannedDetector, read_planned
from cutwatch.live.planning import Planner
from cutwatch.live.series_memory import SeriesMemory
from cutwatch.live.stepping import Stepper
from cutwatch.live.turn import Turn
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.observability import logger
from cutwatch.registry.bucket_turns import BucketTurns
from cutwatch.registry.registry import Registry
from cutwatch.settings import LiveSettings
from cutwatch.timestamps import format_timestamp

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
    turns: BucketTurns
    memory: SeriesMemory
    notifier: LiveNotifier

    def invoke(self, event: Any, now: datetime, has_time: Callable[[], bool]) -> dict[str, Any]:
        """Score the bucket that the event names; without one, all of them: one here, more in an invocation each."""
        turn = Turn.of(event)
        if turn is not None:
            number = self._taken(turn)
            return {"bucket": None} if number is None else self._score(number, now, has_time)
        plan = self.planner.plan(now)
        if len(plan.buckets) == 1:
            return self._score(plan.buckets[0], now, has_time)
        self._invoke_each(plan.buckets, format_timestamp(now))
        return {"buckets": len(plan.buckets), "detectors": len(plan.assigned)}

    def _invoke_each(self, buckets: Sequence[int], run: str) -> None:
        """Start an invocation for each bucket; one that cannot be started stops no other."""
        errors: list[CutwatchError] = []
        for number in buckets:
            try:
                self.functions.invoke(
                    FunctionName=self.settings.aws_lambda_function_name,
                    InvocationType="Event",
                    Payload=Turn(number, run, buckets).to_bytes(),
                )
            except CutwatchError as error:
                errors.append(error)
        for first in errors:
            raise first

    def _taken(self, turn: Turn) -> int | None:
        """Return the bucket to score: the one in this environment's memory, if no other environment has taken it.

        Lambda sends an invocation to any environment. Reading a bucket's series costs a third of the work again.
        """
        if turn.run is None:
            return turn.bucket
        order = dict.fromkeys(turn.preferring(self.memory.newest))
        return next((each for each in order if self.turns.take(each, turn.run)), None)

    def _score(self, number: int, now: datetime, has_time: Callable[[], bool]) -> dict[str, Any]:
        planned = read_planned(self.bucket, number)
        stepper = Stepper(self.bucket, self.memory, now, self.settings.gap)
        run = BucketRun(self.cloudwatch, self.store, stepper, self.notifier, has_time)
        report = run.score(number, planned)
        self.memory.newest = number
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
        registry.bucket_turns,
        SeriesMemory(bucket),
        LiveNotifier(audience, registry, place, clock),
    )


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
