"""Trained forests of detectors, as a stack's bucket and registry have them."""

import json
from collections.abc import Sequence

import numpy as np

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.keys import recipe_key, trained_checkpoint_key
from cutwatch.detectors.detector import Detector
from cutwatch.features.recipe import FeatureRecipe, FeatureRows
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.timestamps import format_timestamp, parse_timestamp
from tests.support.stream_state import FakeBucket

PERIOD = 300


def a_detector(name: str = "vibration", shingle_size: int = 1) -> Detector:
    """Return a detector whose forest a stream may begin with."""
    return Detector.from_payload(
        {
            "name": name,
            "namespace": "Machines",
            "metric": "Vibration",
            "statistic": "Average",
            "engine": "lambda",
            "features": ["value"],
            "shingle_size": shingle_size,
            "period": PERIOD,
        }
    )


def trained_checkpoint(
    values: Sequence[float], recipe: FeatureRecipe, through: int, seed: int = 1
) -> ForestCheckpoint:
    """Return the checkpoint of a training on values that end before epoch second `through`."""
    shingle = recipe.shingle_size
    scaled = (np.array(values, np.float64) - recipe.centre) / recipe.spreads[0]
    rows = np.lib.stride_tricks.sliding_window_view(scaled, shingle)
    epochs = through - PERIOD * np.arange(len(rows), 0, -1)
    checkpoint = ForestCheckpoint.untrained(len(recipe.features), shingle, seed)
    repeated = np.repeat(rows, len(recipe.features), axis=1)
    checkpoint.score(FeatureRows(repeated, epochs.astype(np.int64)), through)
    return checkpoint


def a_recipe(centre: float = 0.0, spread: float = 3.0, shingle_size: int = 1) -> FeatureRecipe:
    """Return the recipe of a detector of values."""
    return FeatureRecipe(("value",), (spread,), centre, shingle_size, "UTC", 0)


def store_model(
    bucket: Bucket | FakeBucket,
    detector: Detector,
    recipe: FeatureRecipe,
    checkpoint: ForestCheckpoint,
    name: str = "20261101T000000Z-0a1b2c3d",
) -> Model:
    """Write what a training and its registration write to the bucket; return the model for the registry."""
    model = Model(
        name=name,
        fingerprint=detector.fingerprint,
        scheduled_time=format_timestamp(parse_timestamp("2026-11-01T00:00:00Z")),
        trained_through=format_timestamp(parse_timestamp("2026-11-01T00:00:00Z")),
        recipe=recipe_key(detector.name, name),
        cutoff={"mean": 1.0, "deviation": 0.1},
        cutoff_method="adaptive",
        engine="lambda",
        checkpoint=trained_checkpoint_key(detector.name, name),
    )
    assert model.checkpoint
    bucket.write_bytes(model.checkpoint, checkpoint.to_bytes())
    bucket.write_bytes(model.recipe, json.dumps(recipe.to_payload()).encode())
    return model


def registered(detector: Detector, *models: Model) -> DetectorRecord:
    """Return the registry's record of a detector with these models."""
    return DetectorRecord(detector.name, tuple(models))
