"""Freezes the cutoff, registers the model, deletes the models before the previous one."""

from cutwatch.aws import client
from cutwatch.bucket import Bucket
from cutwatch.models import delete_models
from cutwatch.names import scores_prefix
from cutwatch.observability import Payload, count, logger, observed
from cutwatch.registration import register
from cutwatch.registry import Registry
from cutwatch.runs import Run
from cutwatch.settings import RegisterModelSettings


@observed
def handler(event: Payload) -> Payload:
    """`run`, `detector`, `data`, `model`, `scoring` (the transform job) -> the detector's outcome."""
    settings = RegisterModelSettings.from_env()
    registry = Registry(client("dynamodb"), settings.table_name)
    detector = event["detector"]["name"]
    outcome, superseded = register(
        registry,
        Bucket(client("s3"), settings.bucket_name),
        Run.from_payload(event["run"]),
        event["data"],
        event["model"]["name"],
        scores_prefix(detector, event["scoring"]["name"]),
        settings.cutoff_sigmas,
    )
    for problem in delete_models(client("sagemaker"), registry, detector, superseded):
        logger.warning(
            "superseded model not deleted, the next training tries again", reason=problem
        )
    count("ModelsTrained")
    return outcome.to_payload()
