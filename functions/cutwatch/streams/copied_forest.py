"""From a detector's checkpoint to the forest that the keys of a stream begin with."""

from collections.abc import Mapping
from typing import Any

from krcf import RandomCutForest

from cutwatch.anomaly_models.forest_options import WARM_UP_ROWS
from cutwatch.detectors.stream import Stream
from cutwatch.errors import MalformedState
from cutwatch.features.recipe import FeatureRecipe
from cutwatch.forests.checkpoint import ForestCheckpoint
from cutwatch.registry.detector_record import Model
from cutwatch.streams.baseline import ScoreBaseline
from cutwatch.streams.detector_forest import DetectorForest


def copied_forest(
    stream: Stream, model: Model, content: bytes, etag: str, recipe: Mapping[str, Any]
) -> DetectorForest:
    """Return the forest of a checkpoint for a stream. Raises `MalformedState` if it does not fit."""
    checkpoint = ForestCheckpoint.from_bytes(content)
    made = _recipe(recipe)
    if made.features != ("value",) or len(checkpoint.forest.forests) != 1:
        raise MalformedState(f"it has features {', '.join(made.features)}, not value alone")
    [forest] = checkpoint.forest.forests
    _check_shape(stream, forest)
    learned = forest.entries_seen()
    return DetectorForest(
        detector=stream.cold_start,
        model=model.name,
        checkpoint=model.checkpoint or "",
        etag=etag,
        scale=(made.centre, made.spreads[0]),
        learned=learned,
        through=float(checkpoint.through),
        baseline=_baseline(checkpoint.scores[:, 0].tolist(), learned).to_payload(),
        content=bytes(forest.to_msgpack()),
    )


def _recipe(payload: Mapping[str, Any]) -> FeatureRecipe:
    try:
        return FeatureRecipe.from_payload(payload)
    except (KeyError, TypeError) as error:
        raise MalformedState(f"its recipe cannot be read: {error!r}") from None


def _check_shape(stream: Stream, forest: RandomCutForest) -> None:
    options, wanted = forest.options(), stream.forest
    found = (options["dimensions"], options["num_trees"], options["sample_size"])
    expected = (wanted.shingle_size, wanted.trees, wanted.sample_size)
    if found != expected:
        raise MalformedState(
            "its shingle, trees and sample are {}, {} and {}, not {}, {} and {}".format(
                *found, *expected
            )
        )


def _baseline(scores: list[float], learned: int) -> ScoreBaseline:
    """Return the baseline that a key has after these scores, the last ones of a forest; those of its warm-up do not count."""
    baseline = ScoreBaseline()
    for score in scores[max(WARM_UP_ROWS - (learned - len(scores)), 0) :]:
        baseline.severity(score)
    return baseline
