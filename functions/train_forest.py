"""Trains the forests of a batch of detectors, in this process."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import datasets_of, detector_of
from cutwatch.forests.dataset_scoring import train
from cutwatch.observability import Payload, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, is_last_try
from cutwatch.settings import ForestSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `retries` -> the learned `datasets`; the others have an outcome."""
    settings = ForestSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    registry = Registry(client("dynamodb"), settings.table_name)
    batch = Batch(registry, Run.from_payload(event["run"]), is_last_try(event))
    learned = batch.each(datasets_of(event), detector_of, lambda one: train(bucket, one))
    return {"datasets": [one.to_payload() for one in learned]}
