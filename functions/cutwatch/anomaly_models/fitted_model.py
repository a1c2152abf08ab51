"""A model with the threshold of its training, as it is stored and used."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cutwatch.anomaly_models import (
    endpoint_forest,
    harmonic_regression,
    model_file,
    one_class_svm,
    random_cut_forest,
)
from cutwatch.anomaly_models.endpoint_forest import EndpointForest
from cutwatch.anomaly_models.harmonic_regression import HarmonicRegression
from cutwatch.anomaly_models.model import AnomalyModel, Rows
from cutwatch.anomaly_models.one_class_svm import OneClassSvm
from cutwatch.anomaly_models.random_cut_forest import ForestModel
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.timeseries.arrays import Floats

TRAINING_SHARE = 0.8
# Measured on planted logs: 3 call 1 to 3 % of ordinary rows anomalous, 6 call 0.1 to 0.2 % (docs/logs.md).
SIGMAS = 6.0
_KIND = "fitted"
_CLASSES: Mapping[str, type[AnomalyModel]] = {
    random_cut_forest.KIND: ForestModel,
    harmonic_regression.KIND: HarmonicRegression,
    one_class_svm.KIND: OneClassSvm,
    endpoint_forest.KIND: EndpointForest,
}


@dataclass
class FittedModel:
    """A model, the cutoff of its training scores, and the frozen `features` of its rows, as JSON values, if it has any.

    `trained_until` is the time of the last training row in epoch seconds, if it is known.
    """

    kind: str
    model: AnomalyModel
    cutoff: Cutoff
    features: Mapping[str, Any] | None = None
    trained_until: float | None = None

    @classmethod
    def of_training(
        cls,
        kind: str,
        model: AnomalyModel,
        training_scores: Floats,
        features: Mapping[str, Any] | None = None,
    ) -> "FittedModel":
        """Return a trained model with the cutoff of its training scores (n,); NaN does not count."""
        scores = training_scores[np.isfinite(training_scores)]
        return cls(kind, model, Cutoff.of_scores(scores, SIGMAS), features)

    def times_cutoff(self, scores: Floats) -> Floats:
        """Return scores (n,) in multiples of the cutoff, at least 0."""
        return np.maximum(scores / self.cutoff.value, 0.0)

    def copy(self) -> "FittedModel":
        """Return a copy that learns on its own, without the features."""
        return FittedModel.from_bytes(FittedModel(self.kind, self.model, self.cutoff).to_bytes())

    @property
    def version(self) -> str:
        """Digest of the model, by which a stream names it."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:12]

    def to_bytes(self) -> bytes:
        """Return everything in the form that `from_bytes` reads."""
        header: dict[str, Any] = {"kind": self.kind, "cutoff": self.cutoff.to_payload()}
        if self.trained_until is not None:
            header["trained_until"] = self.trained_until
        features = json.dumps(self.features).encode()
        return model_file.to_bytes(_KIND, header, [features, self.model.to_bytes()])

    @classmethod
    def from_bytes(cls, content: bytes) -> "FittedModel":
        """Read back what `to_bytes` returned. Raises `MalformedState`."""
        header, [features, model] = model_file.from_bytes(_KIND, content)
        return cls(
            header["kind"],
            _CLASSES[header["kind"]].from_bytes(model),
            Cutoff.from_payload(header["cutoff"]),
            json.loads(features),
            header.get("trained_until"),
        )


def split(rows: Rows, share: float = TRAINING_SHARE) -> tuple[Rows, Rows]:
    """Return the first share of the rows in the order of time, and the rest."""
    end = int(len(rows.times) * share)
    return rows.between(0, end), rows.between(end, len(rows.times))
