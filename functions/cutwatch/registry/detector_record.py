"""What the registry knows of a detector: its models, how far it is published, its last event, its forest's state."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.detectors.detector import CutoffMethod, Detector, Engine
from cutwatch.timestamps import parse_timestamp


@dataclass(frozen=True)
class Model:
    """A trained model with all that a transform must know of it. Times are ISO 8601, `recipe` is an S3 key.

    `state` is the S3 key of what training left of a forest inside Lambda, None for SageMaker's models.
    """

    name: str
    fingerprint: str
    scheduled_time: str
    trained_through: str
    recipe: str
    baseline: Mapping[str, Any]
    cutoff: Mapping[str, float]
    cutoff_method: CutoffMethod
    engine: Engine = "sagemaker"
    state: str | None = None

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Model":
        """Read back what `asdict` wrote; fields of another version are ignored."""
        return cls(**{f.name: payload[f.name] for f in fields(cls) if f.name in payload})


@dataclass(frozen=True)
class CarriedState:
    """How far transforms have carried a model's forest: the S3 keys of its newest state and of the one before."""

    model: str
    newest: str
    earlier: str | None = None


@dataclass(frozen=True)
class DetectorRecord:
    """What the registry knows of a detector: models newest first, the end of the last published window, events.

    `definition` is the detector of that window, as JSON: most readers of the registry do without.
    """

    name: str
    models: tuple[Model, ...] = ()
    published_through: datetime | None = None
    version: int = 0
    last_run: str | None = None
    last_event: LastEvent | None = None
    earlier_event: LastEvent | None = None
    carried: CarriedState | None = None
    definition: str | None = None

    @property
    def detector(self) -> Detector | None:
        """The detector whose window was published last, if one was."""
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
            carried=CarriedState(**item["carried"]) if item.get("carried") else None,
            definition=item.get("detector_definition"),
        )

    def state_of(self, model: Model) -> str | None:
        """The newest state of a model's forest: as far as transforms have carried it, or as training left it."""
        if self.carried and self.carried.model == model.name:
            return self.carried.newest
        return model.state

    def event_before(self, run: str) -> LastEvent | None:
        """The newest event of the runs before this one, also when this one has published already."""
        return self.earlier_event if self.last_run == run else self.last_event

    def usable_model(self, fingerprint: str) -> Model | None:
        """The newest model, if it was trained on the same metric with the same recipe."""
        newest = self.models[0] if self.models else None
        return newest if newest and newest.fingerprint == fingerprint else None

    def why_untrained(self, fingerprint: str, engine: Engine) -> str | None:
        """In words, why there is no usable model, if so."""
        if self.usable_model(fingerprint):
            return None
        if not self.models:
            return "no model yet"
        newest = self.models[0]
        if newest.engine != engine:
            return f"model {newest.name} was made by engine {newest.engine}, not {engine}"
        return f"model {newest.name} was made for another metric or recipe, or by an older version"


def _last_event(payload: Mapping[str, str] | None) -> LastEvent | None:
    return LastEvent(**payload) if payload else None
