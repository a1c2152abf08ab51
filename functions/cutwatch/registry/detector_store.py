"""Detectors in the registry: models and watermark."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.detection.anomaly_event import LastEvent
from cutwatch.errors import ConditionFailed
from cutwatch.registry.detector_record import CarriedCheckpoint, DetectorRecord, Model
from cutwatch.registry.pending_scores import PendingScores
from cutwatch.timestamps import format_timestamp

KEPT_MODELS = 2
_WRITE_ATTEMPTS = 5

_Models = tuple[Model, ...]
_Change = Callable[[_Models], _Models]


@dataclass(frozen=True)
class DetectorStore:
    """The items `DETECTOR / <name>`."""

    table: Table

    def all(self) -> dict[str, DetectorRecord]:
        """Return every known detector by name."""
        return {item["sk"]: DetectorRecord.from_item(item) for item in self.table.query("DETECTOR")}

    def get(self, name: str) -> DetectorRecord:
        """Return the record of a detector; an empty record if there is none."""
        item = self.table.get("DETECTOR", name)
        return DetectorRecord.from_item(item) if item else DetectorRecord(name)

    def add_model(self, name: str, model: Model) -> tuple[Model, ...]:
        """Register a model; return all registered models, newest scheduled time first.

        Registering the same model again replaces its entry.
        """
        return self._change_models(
            name, lambda models: (model, *(old for old in models if old.name != model.name))
        )

    def remove_models(self, name: str, removed: set[str]) -> tuple[Model, ...]:
        """Remove models by name; return the remaining models."""
        return self._change_models(
            name, lambda models: tuple(model for model in models if model.name not in removed)
        )

    def _change_models(self, name: str, change: _Change) -> tuple[Model, ...]:
        for attempt in range(1, _WRITE_ATTEMPTS + 1):
            record = self.get(name)
            newest_first = sorted(
                change(record.models), key=lambda model: model.scheduled_time, reverse=True
            )
            try:
                self._replace_models(replace(record, models=tuple(newest_first)))
            except ConditionFailed:
                if attempt == _WRITE_ATTEMPTS:
                    raise
            else:
                return tuple(newest_first)
        raise AssertionError("unreachable")

    def _replace_models(self, record: DetectorRecord) -> None:
        self.table.update(
            "DETECTOR",
            record.name,
            "SET models = :models, version = :next",
            {
                "models": [asdict(model) for model in record.models],
                "next": record.version + 1,
                "version": record.version,
            },
            "attribute_not_exists(version) OR version = :version",
        )

    def advance(
        self,
        name: str,
        published_through: datetime,
        run: str,
        last: LastEvent | None,
        earlier: LastEvent | None,
        carried: CarriedCheckpoint | None = None,
        definition: Mapping[str, Any] | None = None,
        pending: Sequence[PendingScores] = (),
    ) -> bool:
        """Move the watermark forward, with the newest event and checkpoint; return whether it moved.

        It never moves back. `definition` is the published detector's and `pending` its unreadable scores, for charts.
        """
        try:
            self.table.update(
                "DETECTOR",
                name,
                "SET published_through = :end, last_run = :run, last_event = :last, "
                "earlier_event = :earlier, carried = :carried, detector_definition = :definition, "
                "pending_scores = :pending",
                {
                    "end": format_timestamp(published_through),
                    "run": run,
                    "last": asdict(last) if last else None,
                    "earlier": asdict(earlier) if earlier else None,
                    "carried": asdict(carried) if carried else None,
                    "definition": json.dumps(definition) if definition else None,
                    "pending": [each.to_payload() for each in pending],
                },
                "attribute_not_exists(published_through) OR published_through < :end",
            )
        except ConditionFailed:
            return False
        return True

    def delete(self, name: str) -> None:
        """Delete the record of a detector."""
        self.table.delete("DETECTOR", name)
