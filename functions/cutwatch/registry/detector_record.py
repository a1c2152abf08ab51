"""The record of a detector: its models, watermark, last event and newest checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.detectors.detector import CutoffMethod, Detector, Engine
from cutwatch.registry.pending_scores import PendingScores
from cutwatch.timeseries.windows import is_outgrown
from cutwatch.timestamps import parse_timestamp


@dataclass(frozen=True)
class Model:
    """A trained model with everything that a transform needs. Times are ISO 8601, `recipe` is an S3 key.

    `checkpoint` is the S3 key of the checkpoint after the training of a Lambda forest, None for SageMaker's models.
    `trained_from` is the time of the first datapoint of its history.
    """

    name: str
    fingerprint: str
    scheduled_time: str
    trained_through: str
    recipe: str
    cutoff: Mapping[str, float]
    cutoff_method: CutoffMethod
    engine: Engine = "sagemaker"
    checkpoint: str | None = None
    trained_from: str | None = None

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Model":
        """Read the payload that `asdict` wrote; ignore fields of another version."""
        return cls(**{f.name: payload[f.name] for f in fields(cls) if f.name in payload})


@dataclass(frozen=True)
class CarriedCheckpoint:
    """The S3 keys of the newest two checkpoints that transforms wrote for a model."""

    model: str
    newest: str
    earlier: str | None = None


@dataclass(frozen=True)
class DetectorRecord:
    """A detector in the registry: models, newest first, the end of the last published window, the newest events.

    `definition` is the detector of that window as JSON, which most readers of the registry do not parse. `pending` are the
    published scores that CloudWatch shows late.
    """

    name: str
    models: tuple[Model, ...] = ()
    published_through: datetime | None = None
    version: int = 0
    last_run: str | None = None
    last_event: LastEvent | None = None
    earlier_event: LastEvent | None = None
    carried: CarriedCheckpoint | None = None
    definition: str | None = None
    pending: tuple[PendingScores, ...] = ()

    @property
    def detector(self) -> Detector | None:
        """The detector of the last published window; None before the first."""
        return Detector.from_payload(json.loads(self.definition)) if self.definition else None

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "DetectorRecord":
        """Read a `DETECTOR` item of the table."""
        watermark = item.get("published_through")
        return cls(
            name=item["sk"],
            models=tuple(Model.from_payload(model) for model in item.get("models", [])),
            published_through=parse_timestamp(watermark) if watermark else None,
            version=item.get("version", 0),
            last_run=item.get("last_run"),
            last_event=_last_event(item.get("last_event")),
            earlier_event=_last_event(item.get("earlier_event")),
            carried=CarriedCheckpoint(**item["carried"]) if item.get("carried") else None,
            definition=item.get("detector_definition"),
            pending=tuple(map(PendingScores.from_payload, item.get("pending_scores", ()))),
        )

    def checkpoint_of(self, model: Model) -> str | None:
        """Return the S3 key of a model's newest checkpoint: from the last transform, or from its training."""
        if self.carried and self.carried.model == model.name:
            return self.carried.newest
        return model.checkpoint

    def event_before(self, run: str) -> LastEvent | None:
        """Return the newest event of earlier runs, also if this run has published already."""
        return self.earlier_event if self.last_run == run else self.last_event

    def usable_model(self, fingerprint: str) -> Model | None:
        """Return the newest model if it was trained on the same metric with the same recipe, else None."""
        newest = self.models[0] if self.models else None
        return newest if newest and newest.fingerprint == fingerprint else None

    def why_train(self, detector: Detector) -> str | None:
        """Return the reason for which a transform starts a training first; None if the newest model will do."""
        if not self.models:
            return "no model yet"
        newest, engine = self.models[0], detector.engine
        if newest.engine != engine:
            return f"model {newest.name} was made by engine {newest.engine}, not {engine}"
        if newest.fingerprint != detector.fingerprint:
            return (
                f"model {newest.name} was made for another metric or recipe, or by an older version"
            )
        return self._why_outgrown(newest, detector.history)

    def _why_outgrown(self, model: Model, history: timedelta) -> str | None:
        if not model.trained_from or not self.published_through:
            return None
        first, end = parse_timestamp(model.trained_from), parse_timestamp(model.trained_through)
        if not is_outgrown(first, end, self.published_through, history):
            return None
        return (
            f"model {model.name} knows the metric from {model.trained_from} to "
            f"{model.trained_through}, and its history has doubled since"
        )


def _last_event(payload: Mapping[str, Any] | None) -> LastEvent | None:
    return LastEvent(**payload) if payload else None
