"""Names of datasets and keys of S3 objects: the same input always gives the same name."""

import hashlib
import json
from datetime import datetime

from cutwatch.detectors.detector import Detector

# Below a dataset's prefix: what SageMaker reads.
ROWS = "rows/"
# The prefix of scores, with the checkpoints of forests next to them.
SCORES = "scores/"

_CHECKPOINT = "forest.npz"


def dataset_digest(bucket: str, detector: Detector, purpose: str, start: str, end: str) -> str:
    """Return a digest of everything that distinguishes a job's input: stack (by its bucket), detector, recipe, purpose, window."""
    identity = [bucket, detector.name, detector.fingerprint, purpose, start, end]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:8]


def forest_name(scheduled_time: datetime, digest: str) -> str:
    """Return the name of a Lambda forest's training or scoring in one run: `<YYYYMMDD>T<hhmmss>Z-<digest>`."""
    return f"{scheduled_time:%Y%m%dT%H%M%SZ}-{digest}"


def dataset_prefix(detector: str, scheduled_time: datetime, purpose: str, digest: str) -> str:
    """Return the S3 prefix of one detector's feature rows, timestamps and description for one run."""
    return f"data/{detector}/{scheduled_time:%Y%m%dT%H%M%SZ}-{purpose}-{digest}/"


def model_prefix(detector: str) -> str:
    """Return the S3 prefix below which SageMaker writes a detector's model artefacts."""
    return f"models/{detector}/"


def model_artefact_key(detector: str, job: str) -> str:
    """Return the S3 key of the artefact that a SageMaker training job writes."""
    return f"{model_prefix(detector)}{job}/output/model.tar.gz"


def trained_checkpoint_key(detector: str, model: str) -> str:
    """Return the S3 key of the checkpoint after a training, where SageMaker puts its artefact."""
    return f"{model_prefix(detector)}{model}/output/{_CHECKPOINT}"


def next_checkpoint_key(detector: str, scoring: str) -> str:
    """Return the S3 key of the checkpoint after a transform, next to its scores."""
    return f"{scores_prefix(detector, scoring)}{_CHECKPOINT}"


def recipe_key(detector: str, model: str) -> str:
    """Return the S3 key of the recipe of a model. It is kept as long as the model's artefact."""
    return f"{model_prefix(detector)}{model}/recipe.json"


def scores_prefix(detector: str, job: str) -> str:
    """Return the S3 prefix below which a transform job writes its scores."""
    return f"{SCORES}{detector}/{job}/"
