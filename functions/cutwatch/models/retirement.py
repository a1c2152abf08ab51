"""Models that are no longer needed: superseded models, and models of detectors that left detectors.yaml."""

from typing import TYPE_CHECKING

from cutwatch.detectors.templates import Watched
from cutwatch.errors import TRANSIENT, CutwatchError, NotFound
from cutwatch.registry.detector_record import Model
from cutwatch.registry.detector_store import DetectorStore

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient


def delete_models(
    sagemaker: "SageMakerClient", detectors: DetectorStore, detector: str, models: tuple[Model, ...]
) -> list[str]:
    """Delete models in SageMaker and then from the registry; return a sentence for each that could not be deleted.

    A model that could not be deleted stays registered, and the next training tries again. Transient errors are
    raised, so that the state machine retries. Artefacts in S3, which are all there is of a forest inside Lambda,
    expire by the bucket's lifecycle.
    """
    deleted = {model.name for model in models if model.engine == "lambda"}
    problems = []
    for model in (model for model in models if model.engine == "sagemaker"):
        problem = _delete(sagemaker, model.name)
        if problem:
            problems.append(f"{model.name}: {problem}")
        else:
            deleted.add(model.name)
    if deleted:
        detectors.remove_models(detector, deleted)
    return problems


def _delete(sagemaker: "SageMakerClient", model: str) -> str:
    """Delete a model; return why it could not be deleted, or an empty text. A missing model counts as deleted."""
    try:
        sagemaker.delete_model(ModelName=model)
    except NotFound:
        return ""
    except TRANSIENT:
        raise
    except CutwatchError as error:
        return str(error)
    return ""


def retire_detectors(
    sagemaker: "SageMakerClient", detectors: DetectorStore, watched: Watched
) -> dict[str, list[str]]:
    """Delete the models and records of detectors that are no longer watched; return `retired` and `problems`.

    Keep the detectors of a template that cannot be expanded at present. The next training tries a detector with a
    problem again.
    """
    retired, problems = [], []
    for name, record in detectors.all().items():
        if watched.may_include(name):
            continue
        left_over = delete_models(sagemaker, detectors, name, record.models)
        problems += left_over
        if not left_over:
            detectors.delete(name)
            retired.append(name)
    return {"retired": retired, "problems": problems}
