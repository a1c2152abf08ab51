"""Detects anomalies in the scored windows of a batch and publishes them to CloudWatch."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import datasets_of, detector_of
from cutwatch.observability import Payload, count, observed
from cutwatch.publishing.anomalies import WindowPublisher
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, is_last_try, name_of
from cutwatch.settings import PublishAnomaliesSettings
from cutwatch.timestamps import parse_timestamp

_COUNTS = ("datapoints", "anomalous_datapoints", "new_events")


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `now`, `retries`; of a SageMaker detector `scoring` (its job) -> counts of published datapoints and events."""
    settings = PublishAnomaliesSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    batch = Batch(registry, Run.from_payload(event["run"]), is_last_try(event))
    job, bucket = name_of(event, "scoring"), Bucket(client("s3"), settings.bucket_name)
    now, namespace = parse_timestamp(event["now"], "now"), settings.anomaly_namespace
    publisher = WindowPublisher(
        client("cloudwatch"), bucket, batch, namespace, settings.alarm_window, now
    )
    published = batch.each(
        datasets_of(event), detector_of, lambda one: publisher.publish(one, job or one.forest)
    )
    counts = {name: sum(getattr(one, name) for one in published) for name in _COUNTS}
    count("DatapointsPublished", counts["datapoints"])
    return {"detectors": len(published)} | counts
