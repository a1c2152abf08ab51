"""Cutoffs in the registry, by the production variant that they belong to."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.detection.sigma_threshold import Cutoff
from cutwatch.errors import ConditionFailed

_PREFIX = "VARIANT#"


@dataclass(frozen=True)
class VariantCutoff:
    """What is frozen with a model: its cutoff, and for each column the median and the range of 90 % of the training data.

    The variant is named after the model, so every answer of an endpoint names the cutoff for its scores. `fingerprint` is that of the
    declaration that the model was trained with.
    """

    variant: str
    fingerprint: str
    columns: tuple[str, ...]
    cutoff: Cutoff
    ranges: tuple[tuple[float, float, float], ...]
    rows: int
    trained_at: str

    def to_item(self) -> dict[str, Any]:
        """Return the registry's attributes."""
        return asdict(self)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "VariantCutoff":
        """Read back what `to_item` returned."""
        return cls(
            variant=item["variant"],
            fingerprint=item["fingerprint"],
            columns=tuple(item["columns"]),
            cutoff=Cutoff.from_payload(item["cutoff"]),
            ranges=tuple((float(m), float(low), float(high)) for m, low, high in item["ranges"]),
            rows=int(item["rows"]),
            trained_at=item["trained_at"],
        )


@dataclass(frozen=True)
class CutoffStore:
    """The items `TABLE#<name> / VARIANT#<variant>` of one watched table."""

    table: Table
    name: str

    def record(self, cutoff: VariantCutoff) -> None:
        """Record the cutoff of a variant once and for good: records may have been compared with it."""
        item = {"pk": self._pk, "sk": _PREFIX + cutoff.variant, **_plain(cutoff.to_item())}
        with suppress(ConditionFailed):
            self.table.put(item, "attribute_not_exists(pk)")

    def get(self, variant: str) -> VariantCutoff | None:
        """Return the cutoff of a variant, if it is recorded."""
        item = self.table.get(self._pk, _PREFIX + variant)
        return VariantCutoff.from_item(item) if item else None

    def all(self) -> list[VariantCutoff]:
        """Return every recorded cutoff, newest first."""
        found = [VariantCutoff.from_item(each) for each in self.table.query(self._pk, _PREFIX)]
        return sorted(found, key=lambda each: each.trained_at, reverse=True)

    def remove(self, variant: str) -> None:
        """Remove the cutoff of a variant that serves no longer."""
        self.table.delete(self._pk, _PREFIX + variant)

    @property
    def _pk(self) -> str:
        return f"TABLE#{self.name}"


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(item))
    return plain
