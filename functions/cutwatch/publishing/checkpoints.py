"""The checkpoints of a learning forest, as windows are published."""

from cutwatch.aws.s3 import Bucket
from cutwatch.datasets.description import WindowDescription
from cutwatch.datasets.keys import SCORES, next_checkpoint_key
from cutwatch.errors import TRANSIENT, CutwatchError
from cutwatch.observability import logger
from cutwatch.registry.detector_record import CarriedCheckpoint, DetectorRecord


def carried_checkpoint(description: WindowDescription, scoring: str) -> CarriedCheckpoint | None:
    """Return the forest's checkpoints after this window; None for forests that do not learn while they score."""
    if description.checkpoint is None:
        return None
    key = next_checkpoint_key(description.detector.name, scoring)
    newest = key if description.dataset.rows else description.checkpoint
    return CarriedCheckpoint(description.model, newest, description.checkpoint)


def delete_superseded(
    bucket: Bucket, record: DetectorRecord, carried: CarriedCheckpoint | None, *, last_try: bool
) -> None:
    """Delete the checkpoint before the one that this window began with, unless training wrote it.

    A repetition of this window needs the checkpoint that it began with. The model keeps the checkpoint of its
    training. A checkpoint that escapes this expires with its scores.
    """
    kept = (carried.newest, carried.earlier) if carried else ()
    superseded = record.carried.earlier if record.carried else None
    if not superseded or superseded in kept or not superseded.startswith(SCORES):
        return
    try:
        bucket.delete(superseded)
    except CutwatchError as error:
        if isinstance(error, TRANSIENT) and not last_try:
            raise
        logger.warning("superseded checkpoint not deleted, it expires later", reason=str(error))
