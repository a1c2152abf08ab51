"""Deletes the models that an endpoint does not need any longer, and the temporary data of the run."""

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.endpoints.functions import cutoff_store
from cutwatch.endpoints.retirement import ModelRetirer
from cutwatch.endpoints.settings import ModelSettings
from cutwatch.observability import Payload, observed
from cutwatch.runs.batch import name_of
from cutwatch.tables.preparation import finish


@observed
def handler(event: Payload) -> Payload:
    """`model` (in service), `data` (the dataset), `scoring` (its job) -> `retired` (models), `deleted` (objects)."""
    settings = ModelSettings.from_env()
    dataset = Dataset.from_payload(event["data"], "data")
    scoring, model = str(name_of(event, "scoring")), str(name_of(event, "model"))
    retired = ModelRetirer(client("sagemaker"), cutoff_store(settings)).retire(model)
    bucket = Bucket(client("s3"), settings.bucket_name)
    return {"retired": retired, "deleted": finish(bucket, dataset, scoring)}
