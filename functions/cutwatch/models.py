"""Models: registering a trained one with its frozen cutoff, deleting those that are no longer needed."""

from typing import Any

from cutwatch.cutoff import Cutoff
from cutwatch.detector import Detector
from cutwatch.errors import CutwatchError, NotFound
from cutwatch.outcomes import Outcome
from cutwatch.registry import KEPT_MODELS, Model, Registry
from cutwatch.runs import Run
from cutwatch.storage import Bucket, find_description, read_scores


def register(
    registry: Registry,
    bucket: Bucket,
    run: Run,
    dataset: dict[str, Any],
    model_name: str,
    scores_prefix: str,
    default_sigmas: float,
) -> tuple[Outcome, tuple[Model, ...]]:
    """Freeze the cutoff on the training data's own scores and register the model with it.

    Returns the detector's outcome and the models that are to be deleted. Doing it again changes nothing.
    """
    description = find_description(bucket, dataset["prefix"])
    if description is None:
        raise NotFound("GetObject", "NoSuchKey", f"no dataset below {dataset['prefix']}")
    detector = Detector.from_payload(description["detector"])
    scores = read_scores(bucket, scores_prefix, dataset["files"], dataset["rows"])
    cutoff = Cutoff.of_scores(scores, detector.cutoff.sigmas or default_sigmas)
    model = Model(
        name=model_name,
        fingerprint=detector.fingerprint,
        scheduled_time=run.scheduled_time,
        trained_through=description["end"],
        dataset=description["prefix"],
        shingle_size=description["shingle_size"],
        cutoff=cutoff.to_payload(),
        cutoff_method=detector.cutoff.method,
    )
    models = registry.add_model(detector.name, model)
    outcome = Outcome(
        detector.name,
        "TRAINED",
        _sentence(description, cutoff),
        datapoints=description["reported"],
    )
    registry.record_outcome(run.id, run.moment, outcome)
    return outcome, models[KEPT_MODELS:]


def _sentence(description: dict[str, Any], cutoff: Cutoff) -> str:
    sentence = (
        f"learned {description['rows']} rows from {description['start']} to {description['end']}; "
        f"cutoff {cutoff.value:.4g}"
    )
    if description["constant"]:
        return f"{sentence}; the metric never changed, so any change will be an anomaly"
    return sentence


def delete_models(
    sagemaker: Any, registry: Registry, detector: str, models: tuple[Model, ...]
) -> list[str]:
    """Delete models in SageMaker and then from the registry; returns what could not be deleted, in words.

    A model that could not be deleted stays registered, so the next training tries again. Artefacts in S3
    expire by the bucket's lifecycle.
    """
    deleted, problems = set(), []
    for model in models:
        try:
            sagemaker.delete_model(ModelName=model.name)
        except NotFound:
            deleted.add(model.name)
        except CutwatchError as error:
            problems.append(f"{model.name}: {error}")
        else:
            deleted.add(model.name)
    if deleted:
        registry.remove_models(detector, deleted)
    return problems


def retire_detectors(sagemaker: Any, registry: Registry, watched: set[str]) -> dict[str, list[str]]:
    """Delete the models and the records of detectors that are no longer watched.

    Returns `retired` and `problems`; a detector with a problem is tried again by the next training.
    """
    retired, problems = [], []
    for name, record in registry.detectors().items():
        if name in watched:
            continue
        left_over = delete_models(sagemaker, registry, name, record.models)
        problems += left_over
        if not left_over:
            registry.forget_detector(name)
            retired.append(name)
    return {"retired": retired, "problems": problems}
