"""The model of a log that an endpoint scores, from the scores that SageMaker's forest gave the rows of its training."""

import numpy as np

from cutwatch.anomaly_models.endpoint_forest import KIND, EndpointForest
from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.detectors.stream import Stream
from cutwatch.streams.log_training import Training, TrainingRows
from cutwatch.timeseries.arrays import Floats

_MIDDLE, _LOW, _HIGH = 50, 5, 95


def training_by_endpoint(
    stream: Stream, given: TrainingRows, variant: str, scores: Floats
) -> Training:
    """Return the training of the SageMaker model `variant`, from its scores (n,) of all rows, those that check it included."""
    values = np.nan_to_num(given.to_learn.values, nan=0.0)
    ranges = np.ascontiguousarray(np.percentile(values, (_MIDDLE, _LOW, _HIGH), axis=0).T)
    forest = EndpointForest(variant, stream.fingerprint, ranges)
    features = given.statistics.to_payload()
    fitted = FittedModel.of_training(KIND, forest, scores[: given.training], features)
    return given.training_of(stream, fitted, scores[given.training :])
