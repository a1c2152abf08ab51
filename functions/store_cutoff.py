"""Stores the cutoff of a model, from the scores of its training data, before the model serves."""

from pathlib import Path

from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.endpoints.cutoffs import store_cutoff
from cutwatch.endpoints.functions import cutoff_store
from cutwatch.endpoints.settings import ModelSettings
from cutwatch.observability import Payload, observed
from cutwatch.runs.batch import name_of


@observed
def handler(event: Payload) -> Payload:
    """`model`, `data` (the dataset), `scoring` (its job), `now` -> `value` (the cutoff), `mean`, `deviation`, `rows`."""
    settings = ModelSettings.from_env()
    configuration = load_configuration(Path(__file__).parent / settings.detectors_file)
    table = configuration.table(settings.watched_table)
    dataset, bucket = (
        Dataset.from_payload(event["data"], "data"),
        Bucket(client("s3"), settings.bucket_name),
    )
    scoring, model = str(name_of(event, "scoring")), str(name_of(event, "model"))
    stored = store_cutoff(
        cutoff_store(settings), bucket, table, dataset, scoring, model, event["now"]
    )
    return {name: getattr(stored, name) for name in ("value", "mean", "deviation", "rows")}
