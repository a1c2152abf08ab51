"""Cutoffs in the registry, by the production variant that they belong to."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.errors import ConditionFailed

_PREFIX = "VARIANT#"


@dataclass(frozen=True)
class VariantCutoff:
    """Cutoff of a model, frozen with it: scores above `value` are anomalous.

    The variant is named after the model, so every answer of an endpoint names the cutoff for its scores. `mean` and `deviation` are
    those of the training data's scores, `ranges` the median and the range of 90 % of each column. `fingerprint` is that of the
    declaration that the model was trained with, `replaced_at` the time at which another model was last deployed in its place; empty before.
    """

    variant: str
    fingerprint: str
    columns: tuple[str, ...]
    value: float
    mean: float
    deviation: float
    ranges: tuple[tuple[float, float, float], ...]
    rows: int
    trained_at: str
    replaced_at: str = ""

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "VariantCutoff":
        """Read the item of a cutoff."""
        return cls(
            variant=item["variant"],
            fingerprint=item["fingerprint"],
            columns=tuple(item["columns"]),
            value=float(item["value"]),
            mean=float(item["mean"]),
            deviation=float(item["deviation"]),
            ranges=tuple((float(m), float(low), float(high)) for m, low, high in item["ranges"]),
            rows=int(item["rows"]),
            trained_at=item["trained_at"],
            replaced_at=item.get("replaced_at", ""),
        )


@dataclass(frozen=True)
class CutoffStore:
    """The items `TABLE#<name> / VARIANT#<variant>` of one watched table."""

    table: Table
    name: str

    def record(self, cutoff: VariantCutoff) -> None:
        """Record the cutoff of a variant once and for good: records may have been compared with it."""
        item = {"pk": self._pk, "sk": _PREFIX + cutoff.variant, **asdict(cutoff)}
        with suppress(ConditionFailed):
            self.table.put(item, "attribute_not_exists(pk)")

    def get(self, variant: str) -> VariantCutoff | None:
        """Return the cutoff of a variant, if it is recorded."""
        item = self.table.get(self._pk, _PREFIX + variant)
        return VariantCutoff.from_item(item) if item else None

    def mark_replaced(self, variant: str, at: str) -> None:
        """Record that another model takes the place of a variant, if its cutoff is recorded."""
        with suppress(ConditionFailed):
            self.table.update(
                self._pk,
                _PREFIX + variant,
                "SET replaced_at = :at",
                {"at": at},
                "attribute_exists(pk)",
            )

    def all(self) -> list[VariantCutoff]:
        """Return every recorded cutoff: those of models that served first, the last of them first, then the newest."""
        found = [VariantCutoff.from_item(each) for each in self.table.query(self._pk, _PREFIX)]
        return sorted(found, key=lambda each: (each.replaced_at, each.trained_at), reverse=True)

    def remove(self, variant: str) -> None:
        """Remove the cutoff of a variant that serves no longer."""
        self.table.delete(self._pk, _PREFIX + variant)

    @property
    def _pk(self) -> str:
        return f"TABLE#{self.name}"
