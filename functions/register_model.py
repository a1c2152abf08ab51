"""Freezes the cutoffs, registers the models of a batch, deletes the models before the previous ones."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset, datasets_of, detector_of
from cutwatch.datasets.keys import scores_prefix
from cutwatch.models.registration import register
from cutwatch.models.retirement import delete_models
from cutwatch.observability import Payload, count, logger, observed
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.runs.batch import Batch, is_last_try, name_of
from cutwatch.settings import RegisterModelSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `datasets`, `retries`; of a SageMaker detector `model` and `scoring` (its jobs) -> the models' names."""
    settings = RegisterModelSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    bucket = Bucket(client("s3"), settings.bucket_name)
    run = Run.from_payload(event["run"])

    named, job = name_of(event, "model"), name_of(event, "scoring")

    def registered(dataset: Dataset) -> str:
        model: str = named or dataset.forest
        scores = scores_prefix(dataset.detector, job or dataset.forest)
        superseded = register(
            registry, bucket, run, dataset, model, scores, settings.cutoff_sigmas
        )[1]
        for problem in delete_models(client("sagemaker"), registry, dataset.detector, superseded):
            logger.warning(
                "superseded model not deleted, the next training tries again", reason=problem
            )
        return model

    models = Batch(registry, run, is_last_try(event)).each(
        datasets_of(event), detector_of, registered
    )
    count("ModelsTrained", len(models))
    return {"models": models}
