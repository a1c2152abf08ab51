"""Cold start from a detector: its forest is copied once for each configuration of a stream, and never again.

`cold-starts/NAME/CONFIGURATION` holds the copy. It is written on condition that nobody else has written it, before the first record is
scored, so that a retry, another execution environment, a later training of the detector or its removal changes no score. It does not
expire as states do, which are written again and again: keys that come years later begin with it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.detector import Detector
from cutwatch.detectors.stream import Stream
from cutwatch.errors import ConditionFailed, MalformedObject, MalformedState, NotFound
from cutwatch.observability import logger
from cutwatch.registry.detector_record import DetectorRecord, Model
from cutwatch.streams.detector_forest import DetectorForest

ROOT = "cold-starts/"


@dataclass(frozen=True)
class ColdStart:
    """The copy of a detector's forest that one configuration of a stream keeps.

    `record` returns what the registry has about the detector.
    """

    bucket: Bucket
    stream: Stream
    detector: Detector
    record: Callable[[], DetectorRecord]

    @property
    def key(self) -> str:
        """Key of the copy."""
        return cold_start_key(self.stream)

    def forest(self) -> DetectorForest:
        """Return the copy, which the first call of a configuration makes. Raises `MalformedState` if it is damaged."""
        found = read_copy(self.bucket, self.stream)
        if found is not None:
            return found
        copy = self._copied()
        try:
            self.bucket.put_if(self.key, copy.to_bytes(), None)
        except ConditionFailed:
            return self.forest()
        logger.info("cold start", detector=copy.detector, model=copy.model, reason=copy.reason)
        return copy

    def _copied(self) -> DetectorForest:
        """Return the forest of the detector's newest model, or why there is none."""
        model = self._model()
        if isinstance(model, str):
            return DetectorForest(self.detector.name, model)
        try:
            content, etag = self.bucket.read_with_etag(model.checkpoint or "")
            recipe = self.bucket.read_json(model.recipe)
        except NotFound as error:
            return DetectorForest(self.detector.name, f"model {model.name} is incomplete: {error}")
        except MalformedObject as error:
            return DetectorForest(self.detector.name, str(error))
        # A checkpoint needs numpy, which takes long to import, and only the first call of a configuration reads one.
        copied = import_module("cutwatch.streams.copied_forest").copied_forest
        try:
            found: DetectorForest = copied(self.stream, model, content, etag, recipe)
        except MalformedState as error:
            return DetectorForest(
                self.detector.name, f"{self.bucket.uri(model.checkpoint or '')}: {error}"
            )
        return found

    def _model(self) -> Model | str:
        """Return the detector's newest model, or why it cannot be used."""
        record, name = self.record(), self.detector.name
        if not record.models:
            return f"detector {name!r} has no model yet"
        model = record.usable_model(self.detector.fingerprint)
        if model is None:
            return f"model {record.models[0].name} of detector {name!r} was made for another metric or recipe"
        if model.engine != "lambda" or model.checkpoint is None:
            return f"model {model.name} was made by engine {model.engine}, not lambda"
        return model


def cold_start_key(stream: Stream) -> str:
    """Return the key of the copy of a stream's configuration."""
    return f"{ROOT}{stream.name}/{stream.fingerprint}"


def read_copy(bucket: Bucket, stream: Stream) -> DetectorForest | None:
    """Return the copy of a stream's configuration, None before the first. Raises `MalformedState` if it is damaged."""
    return copy_at(bucket, cold_start_key(stream))


def copy_at(bucket: Bucket, key: str) -> DetectorForest | None:
    """Return the copy at a key, None if there is none. Raises `MalformedState` if it is damaged."""
    try:
        content, _ = bucket.read_with_etag(key)
    except NotFound:
        return None
    try:
        return DetectorForest.from_bytes(content)
    except MalformedState as error:
        raise type(error)(f"{bucket.uri(key)}: {error}") from None
