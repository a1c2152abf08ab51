"""Judges the scored windows of a batch and publishes them to CloudWatch."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.observability import Payload, count, observed
from cutwatch.publishing.anomalies import publish_window
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, datasets_of, detector_of, is_last_try, name_of
from cutwatch.settings import PublishAnomaliesSettings
from cutwatch.timestamps import parse_timestamp

_COUNTS = ("datapoints", "anomalous_datapoints", "new_events")


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `now`, `retries`; of a SageMaker detector `scoring` (its job) -> counts of what was published."""
    settings = PublishAnomaliesSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    bucket = Bucket(client("s3"), settings.bucket_name)
    batch = Batch(registry, Run.from_payload(event["run"]), is_last_try(event))
    now = parse_timestamp(event["now"], "now")

    job = name_of(event, "scoring")

    def published(dataset: Payload) -> Payload:
        outcome = publish_window(
            client("cloudwatch"),
            bucket,
            batch,
            dataset,
            job or dataset["forest"],
            settings.anomaly_namespace,
            now,
            settings.alarm_window,
        )
        return {name: getattr(outcome, name) for name in _COUNTS}

    done = batch.each(datasets_of(event), detector_of, published)
    counts = {name: sum(each[name] for each in done) for name in _COUNTS}
    count("DatapointsPublished", counts["datapoints"])
    return {"detectors": len(done)} | counts
