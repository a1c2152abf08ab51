"""The trained model of a stream, and the models that its keys begin with."""

from dataclasses import dataclass, replace

from cutwatch.anomaly_models.endpoint_forest import EndpointForest
from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.anomaly_models.random_cut_forest import ForestModel
from cutwatch.detectors.stream import Stream
from cutwatch.errors import CutoffMissing, MalformedState
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_statistics import LogStatistics
from cutwatch.streams.forest import KeyForest
from cutwatch.streams.key_model import KeyModel


@dataclass(frozen=True)
class TrainedModel:
    """A fitted model of a stream, with the features of its log if it has one.

    `generation` grows with every model that becomes current; it is 0 of a model that the stream's entry names.
    """

    stream: Stream
    fitted: FittedModel
    features: LogFeatures | None
    version: str
    generation: int = 0

    @classmethod
    def of(cls, stream: Stream, fitted: FittedModel, generation: int = 0) -> "TrainedModel":
        """Return a fitted model as that of a stream. Raises `MalformedState` if it is one of another kind or format.

        Raises `CutoffMissing` if it is that of an endpoint and was trained on the features of another configuration.
        """
        version = fitted.version
        if fitted.kind != stream.model:
            raise MalformedState(
                f"the model {version} is a {fitted.kind}; stream {stream.name!r} has model: {stream.model}"
            )
        if (fitted.features is None) != (stream.log is None):
            raise MalformedState(
                f"the model {version} was trained on {'records' if stream.log else 'a log'}; train stream {stream.name!r} again"
            )
        if isinstance(fitted.model, EndpointForest):
            _check_configuration(stream, fitted.model)
        features = None
        if fitted.features is not None and stream.log is not None:
            statistics = LogStatistics.from_payload(fitted.features)
            features = LogFeatures(statistics, of_keys=stream.log.is_keyed)
        return cls(stream, fitted, features, version, generation)

    @classmethod
    def from_bytes(cls, stream: Stream, content: bytes, generation: int = 0) -> "TrainedModel":
        """Read a stored model as that of a stream. Raises `MalformedState`."""
        return cls.of(stream, FittedModel.from_bytes(content), generation)

    def of_key(self) -> KeyForest | KeyModel:
        """Return the model that a new key begins with."""
        if isinstance(self.fitted.model, EndpointForest):
            # Nothing in it changes but the scores of the present batch, which all keys share.
            return KeyModel(FittedModel(self.fitted.kind, self.fitted.model, self.fitted.cutoff), 0)
        copied = self.fitted.copy()
        if isinstance(copied.model, ForestModel):
            return KeyForest(
                copied.model.forest,
                self.stream.forest,
                len(self.stream.columns),
                copied.model.learned,
            )
        return KeyModel(copied, 0)

    def unscored(self) -> "TrainedModel":
        """Return the model with scores of 0 where an endpoint gives them, for records that only have to become rows."""
        if not isinstance(self.fitted.model, EndpointForest):
            return self
        return replace(self, fitted=replace(self.fitted, model=self.fitted.model.unscored()))

    def times_cutoff(self, score: float) -> float:
        """Return a score in multiples of the cutoff of the training."""
        return max(score / self.fitted.cutoff.value, 0.0)


def _check_configuration(stream: Stream, forest: EndpointForest) -> None:
    if forest.configuration != stream.fingerprint:
        raise CutoffMissing(
            f"model {forest.variant} was trained on the features of configuration {forest.configuration}; stream {stream.name!r} now has "
            f"{stream.fingerprint}: run cutwatch train with --upload"
        )
