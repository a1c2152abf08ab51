"""Training and scoring with forests inside Lambda, with artefacts in the places of SageMaker's jobs."""

from datetime import datetime
from zlib import crc32

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import Description, TrainingDescription, WindowDescription
from cutwatch.datasets.forest_arrays import read_rows, write_scores
from cutwatch.datasets.keys import next_checkpoint_key, scores_prefix, trained_checkpoint_key
from cutwatch.datasets.storage import read_description
from cutwatch.errors import MalformedState, ModelMissing, NotFound
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.registry import Registry
from cutwatch.timestamps import format_timestamp


def train(bucket: Bucket, dataset: Dataset) -> Dataset:
    """Train a forest on a dataset and write its scores and its checkpoint; return the dataset.

    A repetition writes the same again.
    """
    description = read_description(TrainingDescription, bucket, dataset.prefix)
    recipe = description.recipe
    seed = forest_seed(dataset.detector, description.end)
    checkpoint = ForestCheckpoint.untrained(len(recipe.features), recipe.shingle_size, seed)
    key = trained_checkpoint_key(dataset.detector, dataset.forest)
    _score(bucket, description, checkpoint, key)
    return dataset


def forest_seed(detector: str, trained_through: datetime) -> int:
    """Return the seed of a detector's forest: a repeated training, or a backtest, grows the same forest."""
    return crc32(f"{detector} {format_timestamp(trained_through)}".encode())


def score(bucket: Bucket, registry: Registry, dataset: Dataset) -> Dataset:
    """Score a dataset from the checkpoint that its description names, and write the next one; return the dataset.

    If the checkpoint is missing or malformed, remove the model from the registry and raise `ModelMissing`.
    """
    if dataset.rows == 0:
        return dataset
    description = read_description(WindowDescription, bucket, dataset.prefix)
    checkpoint = _read_checkpoint(bucket, registry, description)
    key = next_checkpoint_key(dataset.detector, dataset.forest)
    _score(bucket, description, checkpoint, key)
    return dataset


def _read_checkpoint(
    bucket: Bucket, registry: Registry, description: WindowDescription
) -> ForestCheckpoint:
    key, model = description.checkpoint or "", description.model
    try:
        return ForestCheckpoint.from_bytes(bucket.read_bytes(key))
    except (NotFound, MalformedState) as error:
        registry.detectors.remove_models(description.detector.name, {model})
        raise ModelMissing(
            f"{bucket.uri(key)}: the checkpoint of model {model} cannot be read ({error}); the model "
            "was taken out of the registry, and the next transform trains a new one"
        ) from error


def _score(
    bucket: Bucket, description: Description, checkpoint: ForestCheckpoint, key: str
) -> None:
    """Write the scores before the checkpoint: a reader that finds the checkpoint finds the scores too."""
    dataset = description.dataset
    rows = read_rows(bucket, dataset.prefix)
    scores = checkpoint.score(rows, int(description.end.timestamp()))
    write_scores(bucket, scores_prefix(dataset.detector, dataset.forest), scores, rows.epochs)
    bucket.write_bytes(key, checkpoint.to_bytes())
