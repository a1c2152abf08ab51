"""Model of a stream: the version that its entry names, or the current one of the register."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.stream import Stream
from cutwatch.errors import CutoffMissing, CutwatchError, InvalidSetting, NotFound
from cutwatch.observability import logger
from cutwatch.streams.model_register import CurrentModel, ModelRegister

if TYPE_CHECKING:
    from cutwatch.streams.trained_model import TrainedModel

# Execution environments ask this often whether another model is current.
_ASKED_EVERY = 60.0


@dataclass
class ModelSource:
    """The model of one stream, read again when another one becomes current; `clock` returns epoch seconds."""

    bucket: Bucket
    stream: Stream
    clock: Callable[[], float]
    _model: "TrainedModel | None" = None
    _asked: float = 0.0

    def current(self) -> "TrainedModel | None":
        """Return the model, None if the stream needs none; the register is asked once a minute.

        Raises `InvalidSetting` if there is none yet, `MalformedState` if it cannot be read.
        """
        if self._model is None:
            return self.newest()
        # The answers of an endpoint name its model.
        is_named = self.stream.model_version or self.stream.is_scored_by_endpoint
        if is_named or self.clock() - self._asked < _ASKED_EVERY:
            return self._model
        try:
            return self.newest()
        except CutwatchError as error:
            # The model before still scores; the next minute asks again.
            self._asked = self.clock()
            logger.warning("model not renewed", reason=f"{type(error).__name__}: {error}")
            return self._model

    def newest(self) -> "TrainedModel | None":
        """Return the model that is current now. Raises as `current` does."""
        if not self.stream.needs_training:
            return None
        asked = self.clock()
        named = CurrentModel(version=self.stream.model_version)
        if not named.version:
            named = ModelRegister(self.bucket, self.stream).read()
        if self._model is None or named.generation != self._model.generation:
            self._model = self._loaded(named)
        self._asked = asked
        return self._model

    def of_variant(self, variant: str) -> "TrainedModel":
        """Return the model of an endpoint's variant, which is current from now on. Raises `CutoffMissing` if it is not stored."""
        try:
            content = self.bucket.read_bytes(
                ModelRegister(self.bucket, self.stream).model_key(variant)
            )
        except NotFound:
            raise CutoffMissing(
                f"variant {variant} has no features and no cutoff: it was not trained for stream {self.stream.name!r}; deploy models with "
                "cutwatch train --upload only"
            ) from None
        self._model = self._read(content, 0)
        return self._model

    def _loaded(self, named: CurrentModel) -> "TrainedModel":
        if not named.version:
            raise InvalidSetting(
                f"stream {self.stream.name!r} has no trained model; run cutwatch train with --upload, or invoke the stack's training function"
            )
        key = ModelRegister(self.bucket, self.stream).model_key(named.version)
        try:
            content = self.bucket.read_bytes(key)
        except NotFound:
            raise InvalidSetting(
                f"{self.bucket.uri(key)} is missing: it is the model of stream {self.stream.name!r}"
            ) from None
        # Models of an endpoint have no generations: which of them serves is the endpoint's to say.
        return self._read(content, 0 if self.stream.is_scored_by_endpoint else named.generation)

    def _read(self, content: bytes, generation: int) -> "TrainedModel":
        # Models need numpy, which takes long to import, and most streams have none.
        model: type[TrainedModel] = import_module("cutwatch.streams.trained_model").TrainedModel
        return model.from_bytes(self.stream, content, generation)
