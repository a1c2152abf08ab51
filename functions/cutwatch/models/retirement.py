"""Models that are no longer needed: superseded ones, and those of detectors that left the file."""

from typing import Any

from cutwatch.errors import TRANSIENT, CutwatchError, NotFound
from cutwatch.registry.detector_record import Model
from cutwatch.registry.registry import Registry


def delete_models(
    sagemaker: Any, registry: Registry, detector: str, models: tuple[Model, ...]
) -> list[str]:
    """Delete models in SageMaker and then from the registry; returns what could not be deleted, in words.

    A model that could not be deleted stays registered, so the next training tries again; a transient error is raised,
    so that the state machine does. Artefacts in S3, which
    are all that there is of a forest inside Lambda, expire by the bucket's lifecycle.
    """
    deleted = {model.name for model in models if model.engine == "lambda"}
    problems = []
    for model in (model for model in models if model.engine == "sagemaker"):
        problem = _problem_of_deleting(sagemaker, model.name)
        if problem:
            problems.append(f"{model.name}: {problem}")
        else:
            deleted.add(model.name)
    if deleted:
        registry.detectors.remove_models(detector, deleted)
    return problems


def _problem_of_deleting(sagemaker: Any, model: str) -> str:
    """Delete a model; why it could not be, or nothing. One that is gone already is as good."""
    try:
        sagemaker.delete_model(ModelName=model)
    except NotFound:
        return ""
    except TRANSIENT:
        raise
    except CutwatchError as error:
        return str(error)
    return ""


def retire_detectors(sagemaker: Any, registry: Registry, watched: set[str]) -> dict[str, list[str]]:
    """Delete the models and the records of detectors that are no longer watched.

    Returns `retired` and `problems`; a detector with a problem is tried again by the next training.
    """
    retired, problems = [], []
    for name, record in registry.detectors.all().items():
        if name in watched:
            continue
        left_over = delete_models(sagemaker, registry, name, record.models)
        problems += left_over
        if not left_over:
            registry.detectors.delete(name)
            retired.append(name)
    return {"retired": retired, "problems": problems}
