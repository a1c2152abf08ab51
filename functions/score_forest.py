"""Scores a batch of detectors with their forests, which learn what they have scored, in this process."""

from cutwatch.aws import client
from cutwatch.batches import Batch, datasets_of, detector_of, is_last_try
from cutwatch.bucket import Bucket
from cutwatch.forests import score
from cutwatch.observability import Payload, observed
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.settings import ForestSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `retries` -> the `datasets` that were scored; the others have an outcome."""
    settings = ForestSettings.from_env()
    bucket = Bucket(client("s3"), settings.bucket_name)
    registry = Registry(client("dynamodb"), settings.table_name)
    batch = Batch(registry, Run.from_payload(event["run"]), is_last_try(event))
    scored = batch.each(datasets_of(event), detector_of, lambda one: score(bucket, registry, one))
    return {"datasets": scored}
