"""Counts a run's outcomes, publishes totals, notifies once."""

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.moments import parse_moment
from cutwatch.observability import Payload, observed
from cutwatch.outcomes import reason_of
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.settings import SummarizeRunSettings
from cutwatch.summary import notify, publish_totals, summarize


@observed
def handler(event: Payload) -> Payload:
    """`run`, `execution`, `error` (what a Map failed with), `now` -> counts by status, `all_failed`, `notified`."""
    settings = SummarizeRunSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    bucket = Bucket(client("s3"), settings.bucket_name)
    summary = summarize(
        registry, bucket, Run.from_payload(event["run"]), reason_of(event.get("error"), "error")
    )
    publish_totals(client("cloudwatch"), settings.anomaly_namespace, summary)
    notified = notify(
        client("sns"),
        registry,
        settings.topic_arn,
        settings.aws_region,
        summary,
        event["execution"],
        parse_moment(event["now"], "now"),
    )
    return summary.to_payload() | {"notified": notified}
