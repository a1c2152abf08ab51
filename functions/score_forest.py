"""Scores a batch of detectors with forests that learn each row after scoring it, in this process."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import datasets_of, detector_of
from cutwatch.forests.dataset_scoring import score
from cutwatch.observability import Payload, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, is_last_try
from cutwatch.settings import ForestSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `retries` -> the scored `datasets`; the others have an outcome."""
    settings = ForestSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    registry = Registry(client("dynamodb"), settings.table_name)
    batch = Batch(registry, Run.from_payload(event["run"]), is_last_try(event))
    scored = batch.each(datasets_of(event), detector_of, lambda one: score(bucket, registry, one))
    return {"datasets": [one.to_payload() for one in scored]}
