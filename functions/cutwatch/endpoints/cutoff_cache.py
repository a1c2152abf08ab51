"""Cutoffs by variant, kept in memory for a minute."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from cutwatch.endpoints.cutoff_store import CutoffStore, VariantCutoff
from cutwatch.errors import CutoffMissing

_KEPT_SECONDS = 60.0


@dataclass(frozen=True)
class CutoffCache:
    """Cutoffs of one table's variants. Those of variants before stay: both models serve during a deployment."""

    store: CutoffStore
    fingerprint: str
    clock: Callable[[], float] = monotonic
    kept: dict[str, tuple[float, VariantCutoff]] = field(default_factory=dict)

    def get(self, variant: str) -> VariantCutoff:
        """Return the cutoff of a variant.

        Raises `CutoffMissing` if there is none, or if its model was trained with another declaration: no score is compared with
        another model's cutoff.
        """
        now = self.clock()
        read_at, found = self.kept.get(variant, (0.0, None))
        if found is None or now - read_at > _KEPT_SECONDS:
            found = self._read(variant)
            self.kept[variant] = (now, found)
        return found

    def _read(self, variant: str) -> VariantCutoff:
        found = self.store.get(variant)
        if found is None:
            raise CutoffMissing(
                f"variant {variant} has no cutoff in the registry; deploy models with the endpoint's state machine only"
            )
        if found.fingerprint != self.fingerprint:
            raise CutoffMissing(
                f"variant {variant} was trained on {', '.join(found.columns)} before the table's values changed; "
                "start the endpoint's state machine"
            )
        return found
