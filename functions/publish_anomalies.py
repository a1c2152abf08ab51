"""Judges a scored window and publishes it to CloudWatch."""

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.moments import parse_moment
from cutwatch.names import scores_prefix
from cutwatch.observability import Payload, count, observed
from cutwatch.publication import publish_window
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.settings import PublishAnomaliesSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detector`, `data`, `scoring` (the transform job, if rows were scored), `now` -> the outcome's counts."""
    settings = PublishAnomaliesSettings.from_env()
    job = event["scoring"]["name"]
    outcome = publish_window(
        client("cloudwatch"),
        Registry(client("dynamodb"), settings.table_name),
        Bucket(client("s3"), settings.bucket_name),
        Run.from_payload(event["run"]),
        event["data"],
        scores_prefix(event["detector"]["name"], job) if job else None,
        settings.anomaly_namespace,
        parse_moment(event["now"], "now"),
    )
    count("DatapointsPublished", outcome.datapoints)
    return {
        "status": outcome.status,
        "message": outcome.message,
        "anomalous_datapoints": outcome.anomalous_datapoints,
        "new_events": outcome.new_events,
    }
