"""Silences in the registry."""

from dataclasses import dataclass

from cutwatch.aws.dynamodb import Table
from cutwatch.registry.silences import Silence


@dataclass(frozen=True)
class SilenceStore:
    """The items `SILENCE / <detector>`."""

    table: Table

    def all(self) -> list[Silence]:
        """Return every recorded silence by detector name. DynamoDB deletes expired silences within days."""
        return [Silence.from_item(item) for item in self.table.query("SILENCE")]

    def record(self, silence: Silence) -> None:
        """Record a silence in place of any other of the detector."""
        self.table.put({"pk": "SILENCE", **silence.to_item()})

    def lift(self, detector: str) -> None:
        """End the silence of a detector, if it has one."""
        self.table.delete("SILENCE", detector)
