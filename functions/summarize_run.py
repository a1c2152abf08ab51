"""Counts the outcomes of a run, publishes totals and notifies people and programs, once."""

from datetime import UTC, datetime

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.notifications.detector_lines import StackPlace
from cutwatch.notifications.dispatch import Audience
from cutwatch.observability import Payload, observed
from cutwatch.publishing.run_end import RunEnd
from cutwatch.registry.outcome import reason_of
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.settings import SummarizeRunSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `execution`, `error` (of a failed Map), `now` -> counts by status, `all_failed`, `notified`."""
    settings = SummarizeRunSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    bucket = Bucket(client("s3"), settings.bucket_name)
    audience = Audience(
        client("events"),
        client("sns"),
        settings.topic_arn,
        settings.operations_topic_arn,
        settings.notification_severity,
    )
    place = StackPlace(settings.stack_name, settings.aws_region, settings.anomaly_namespace)
    run, now = Run.from_payload(event["run"]), parse_timestamp(event["now"], "now")
    reason = reason_of(event.get("error"), "error")
    end = RunEnd(client("cloudwatch"), registry, bucket, audience, place)
    return end.summarize(run, event["execution"], reason, now, datetime.now(UTC))
