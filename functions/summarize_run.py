"""Counts a run's outcomes, publishes totals, tells what is news once."""

from datetime import UTC, datetime

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.notifications.dispatch import Audience, announce
from cutwatch.notifications.messages import StackPlace
from cutwatch.observability import Payload, observed
from cutwatch.registry.outcome import reason_of
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.summary import publish_failure, publish_totals, summarize
from cutwatch.settings import SummarizeRunSettings
from cutwatch.timestamps import parse_timestamp


@observed
def handler(event: Payload) -> Payload:
    """`run`, `execution`, `error` (what a Map failed with), `now` -> counts by status, `all_failed`, `notified`."""
    settings = SummarizeRunSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    bucket = Bucket(client("s3"), settings.bucket_name)
    run, now = Run.from_payload(event["run"]), parse_timestamp(event["now"], "now")
    summary = summarize(registry, bucket, run, reason_of(event.get("error"), "error"))
    counted = registry.runs.close(run, now)
    cloudwatch, namespace = client("cloudwatch"), settings.anomaly_namespace
    publish_totals(cloudwatch, namespace, summary, counted)
    audience = Audience(
        client("events"), client("sns"), settings.topic_arn, settings.operations_topic_arn
    )
    place = StackPlace(settings.stack_name, settings.aws_region, namespace)
    execution, claimed_at = event["execution"], datetime.now(UTC)
    notified = announce(audience, registry, place, summary, execution, now, claimed_at)
    if summary.all_failed:
        publish_failure(cloudwatch, namespace, summary, settings.stack_name, now)
    return summary.to_payload() | {"notified": notified}
