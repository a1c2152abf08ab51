"""Registers the models of a batch with their baselines and cutoffs, and deletes superseded models."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import datasets_of, detector_of
from cutwatch.models.registration import ModelRegistrar
from cutwatch.observability import Payload, count, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, is_last_try, name_of
from cutwatch.settings import RegisterModelSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `retries`; of a SageMaker detector `model` and `scoring` (its jobs) -> the models' names."""
    settings = RegisterModelSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    batch = Batch(registry, Run.from_payload(event["run"]), is_last_try(event))
    bucket = Bucket(client("s3"), settings.bucket_name)
    registrar = ModelRegistrar(client("sagemaker"), bucket, batch, settings.cutoff_sigmas)
    model, job = name_of(event, "model"), name_of(event, "scoring")
    models = batch.each(
        datasets_of(event),
        detector_of,
        lambda one: registrar.register(one, model or one.forest, job or one.forest),
    )
    count("ModelsTrained", len(models))
    return {"models": models}
