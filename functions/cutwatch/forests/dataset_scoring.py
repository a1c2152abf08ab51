"""Training and scoring by forests inside Lambda: the same artefacts in the same places as SageMaker's jobs leave them."""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.keys import next_state_key, scores_prefix, trained_state_key
from cutwatch.datasets.storage import read_description, read_epochs, read_rows, write_scores
from cutwatch.errors import MalformedState, ModelMissing, NotFound
from cutwatch.features.recipe import FeatureRecipe, FeatureRows
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.registry import Registry
from cutwatch.timestamps import parse_timestamp

Dataset = Mapping[str, Any]


def train(bucket: Bucket, dataset: Dataset) -> Dataset:
    """Train a forest on a dataset and write its scores and its state; again, it writes the same. Returns the dataset."""
    description = read_description(bucket, dataset["prefix"])
    recipe = FeatureRecipe.from_payload(description["recipe"])
    seed = crc32(f"{dataset['detector']} {description['end']}".encode())
    state = ForestCheckpoint.untrained(recipe.features, recipe.shingle_size, seed)
    key = trained_state_key(dataset["detector"], dataset["forest"])
    _score(bucket, dataset, description, state, key)
    return dataset


def score(bucket: Bucket, registry: Registry, dataset: Dataset) -> Dataset:
    """Score a dataset with the state that its description names, and write the state after it under another key.

    Raises `ModelMissing`, and forgets the model, where there is no such state. Returns the dataset.
    """
    if dataset["rows"] == 0:
        return dataset
    description = read_description(bucket, dataset["prefix"])
    try:
        state = ForestCheckpoint.from_bytes(bucket.read_bytes(description["state"]))
    except (NotFound, MalformedState) as error:
        registry.remove_models(dataset["detector"], {description["model"]})
        raise ModelMissing(
            f"{bucket.uri(description['state'])}: the state of model {description['model']} "
            f"cannot be read ({error}); the model was taken out of the registry, and the next "
            "transform trains a new one"
        ) from error
    _score(
        bucket, dataset, description, state, next_state_key(dataset["detector"], dataset["forest"])
    )
    return dataset


def _score(
    bucket: Bucket,
    dataset: Dataset,
    description: Mapping[str, Any],
    state: ForestCheckpoint,
    key: str,
) -> None:
    """Scores first: whoever finds the state finds them too."""
    rows = FeatureRows(
        read_rows(bucket, dataset["prefix"], dataset["files"]),
        read_epochs(bucket, dataset["prefix"]),
    )
    scores = state.score(rows, int(parse_timestamp(description["end"], "end").timestamp()))
    write_scores(bucket, scores_prefix(dataset["detector"], dataset["forest"]), scores)
    bucket.write_bytes(key, state.to_bytes())
