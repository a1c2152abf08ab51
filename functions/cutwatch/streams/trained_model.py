"""The trained model of a stream: where it is kept, and the models that its keys begin with."""

from dataclasses import dataclass

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.anomaly_models.random_cut_forest import ForestModel
from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting, MalformedState, NotFound
from cutwatch.features.log_features import LogFeatures
from cutwatch.features.log_statistics import LogStatistics
from cutwatch.streams.forest import KeyForest
from cutwatch.streams.key_model import KeyModel


@dataclass(frozen=True)
class TrainedModel:
    """A fitted model of a stream, with the features of its log if it has one."""

    stream: Stream
    fitted: FittedModel
    features: LogFeatures | None

    @classmethod
    def of(cls, stream: Stream, fitted: FittedModel) -> "TrainedModel":
        """Return a fitted model as that of a stream. Raises `MalformedState` if it is one of another kind or format."""
        if fitted.kind != stream.model:
            raise MalformedState(
                f"the model {fitted.version} is a {fitted.kind}; stream {stream.name!r} has model: {stream.model}"
            )
        if (fitted.features is None) != (stream.log is None):
            raise MalformedState(
                f"the model {fitted.version} was trained on {'records' if stream.log else 'a log'}; train stream {stream.name!r} again"
            )
        if fitted.features is None:
            return cls(stream, fitted, None)
        return cls(stream, fitted, LogFeatures(LogStatistics.from_payload(fitted.features)))

    def of_key(self) -> KeyForest | KeyModel:
        """Return the model that a new key begins with."""
        copied = self.fitted.copy()
        if isinstance(copied.model, ForestModel):
            return KeyForest(
                copied.model.forest,
                self.stream.forest,
                len(self.stream.columns),
                copied.model.learned,
            )
        return KeyModel(copied, 0)

    def times_cutoff(self, score: float) -> float:
        """Return a score in multiples of the cutoff of the training."""
        return max(score / self.fitted.cutoff.value, 0.0)


def model_key(stream: Stream) -> str:
    """Return the key of a stream's model in the bucket."""
    return f"streams/{stream.name}/models/{stream.model_version}"


def load_model(bucket: Bucket, stream: Stream) -> TrainedModel | None:
    """Return the model of a stream, None if it needs none.

    Raises `InvalidSetting` if it has none yet, `MalformedState` if it cannot be read.
    """
    if not stream.needs_training:
        return None
    if not stream.model_version:
        raise InvalidSetting(
            f"stream {stream.name!r} has no trained model; run cutwatch train, and enter its model_version in detectors.yaml"
        )
    try:
        content = bucket.read_bytes(model_key(stream))
    except NotFound:
        raise InvalidSetting(
            f"{bucket.uri(model_key(stream))} is missing: stream {stream.name!r} names model_version {stream.model_version}"
        ) from None
    return TrainedModel.of(stream, FittedModel.from_bytes(content))
