"""Registering a trained model with its recipe and cutoff, both frozen."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.dataset import Dataset
from cutwatch.datasets.description import TrainingDescription
from cutwatch.datasets.forest_arrays import read_scores as read_forest_scores
from cutwatch.datasets.keys import recipe_key, scores_prefix, trained_checkpoint_key
from cutwatch.datasets.storage import read_description, read_scores
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.models.retirement import delete_models
from cutwatch.observability import logger
from cutwatch.registry.detector_record import Model
from cutwatch.registry.detector_store import KEPT_MODELS
from cutwatch.registry.outcome import Outcome
from cutwatch.runs.batch import Batch
from cutwatch.timestamps import format_timestamp

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class ModelRegistrar:
    """Registers the trained models of a batch. `default_sigmas` applies to detectors without `cutoff.sigmas`."""

    sagemaker: "SageMakerClient"
    bucket: Bucket
    batch: Batch
    default_sigmas: float

    def register(self, dataset: Dataset, model_name: str, scoring: str) -> str:
        """Register the model of a training dataset and delete superseded models; return the model's name.

        `scoring` names the job or forest that scored the training data. A repetition changes nothing.
        """
        description = read_description(TrainingDescription, self.bucket, dataset.prefix)
        model = self._freeze(description, model_name, scoring)
        models = self.batch.registry.detectors.add_model(dataset.detector, model)
        self._record_outcome(description)
        self._delete(dataset.detector, models[KEPT_MODELS:])
        return model_name

    def _freeze(self, description: TrainingDescription, model_name: str, scoring: str) -> Model:
        """Write the recipe next to the model, and take the cutoff from the scores of the training data."""
        dataset, detector, recipe = description.dataset, description.detector, description.recipe
        prefix = scores_prefix(detector.name, scoring)
        inside_lambda = detector.engine == "lambda"
        if inside_lambda:
            _, scores = read_forest_scores(self.bucket, prefix, dataset.rows)
        else:
            scores = read_scores(self.bucket, prefix, dataset.files, dataset.rows)
        sigmas = detector.cutoff.sigmas or self.default_sigmas
        model = Model(
            name=model_name,
            fingerprint=detector.fingerprint,
            scheduled_time=self.batch.run.scheduled_time,
            trained_through=format_timestamp(description.end),
            recipe=recipe_key(detector.name, model_name),
            cutoff=Cutoff.of_scores(scores.max(axis=1), sigmas).to_payload(),
            cutoff_method=detector.cutoff.method,
            engine=detector.engine,
            checkpoint=trained_checkpoint_key(detector.name, model_name) if inside_lambda else None,
            trained_from=format_timestamp(datetime.fromtimestamp(recipe.first, UTC)),
        )
        self.bucket.write(model.recipe, json.dumps(recipe.to_payload()))
        return model

    def _record_outcome(self, description: TrainingDescription) -> None:
        run, reported = self.batch.run, description.observed.reported
        outcome = Outcome(
            description.detector.name, "TRAINED", _sentence(description), datapoints=reported
        )
        self.batch.registry.outcomes.record(run.id, run.opened_at, outcome)

    def _delete(self, detector: str, superseded: tuple[Model, ...]) -> None:
        detectors = self.batch.registry.detectors
        for problem in delete_models(self.sagemaker, detectors, detector, superseded):
            logger.warning(
                "superseded model not deleted, the next training tries again", reason=problem
            )


def _sentence(description: TrainingDescription) -> str:
    start, end = format_timestamp(description.start), format_timestamp(description.end)
    sentence = f"learned {description.dataset.rows} rows from {start} to {end}"
    return f"{sentence}; {description.remark}" if description.remark else sentence
