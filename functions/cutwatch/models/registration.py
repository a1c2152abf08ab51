"""Registering a trained model with its recipe and what its scores are judged against, all frozen."""

import json

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import TrainingDescription
from cutwatch.datasets.keys import recipe_key, trained_state_key
from cutwatch.datasets.storage import read_description, read_scores
from cutwatch.detection.adaptive_threshold import Baseline
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.registry.detector_record import Model
from cutwatch.registry.detector_store import KEPT_MODELS
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.registry import Registry
from cutwatch.registry.run import Run
from cutwatch.timestamps import format_timestamp


def register(
    registry: Registry,
    bucket: Bucket,
    run: Run,
    dataset: Dataset,
    model_name: str,
    scores_prefix: str,
    default_sigmas: float,
) -> tuple[Outcome, tuple[Model, ...]]:
    """Freeze baseline and cutoff on the training data's own scores and register the model with them.

    Returns the detector's outcome and the models that are to be deleted. Doing it again changes nothing.
    """
    description = read_description(TrainingDescription, bucket, dataset.prefix)
    detector, recipe = description.detector, description.recipe
    scores = read_scores(bucket, scores_prefix, dataset.files, dataset.rows)
    inside_lambda = detector.engine == "lambda"
    model = Model(
        name=model_name,
        fingerprint=detector.fingerprint,
        scheduled_time=run.scheduled_time,
        trained_through=format_timestamp(description.end),
        recipe=recipe_key(detector.name, model_name),
        baseline=Baseline.of_scores(scores, recipe.explained).to_payload(),
        cutoff=Cutoff.of_scores(scores, detector.cutoff.sigmas or default_sigmas).to_payload(),
        cutoff_method=detector.cutoff.method,
        engine=detector.engine,
        state=trained_state_key(detector.name, model_name) if inside_lambda else None,
    )
    bucket.write(model.recipe, json.dumps(recipe.to_payload()))
    models = registry.detectors.add_model(detector.name, model)
    outcome = Outcome(
        detector.name,
        "TRAINED",
        _sentence(description),
        datapoints=description.observed.reported,
    )
    registry.outcomes.record(run.id, run.opened_at, outcome)
    return outcome, models[KEPT_MODELS:]


def _sentence(description: TrainingDescription) -> str:
    start, end = format_timestamp(description.start), format_timestamp(description.end)
    sentence = f"learned {description.dataset.rows} rows from {start} to {end}"
    if description.constant:
        return f"{sentence}; the metric never changed, so any change will be an anomaly"
    return sentence
