"""Waits for a quota in the registry."""

from dataclasses import dataclass

from cutwatch.aws.dynamodb import Table
from cutwatch.registry.quota_waits import QuotaWait


@dataclass(frozen=True)
class QuotaWaitStore:
    """The items `QUOTA_WAIT / <detector>`."""

    table: Table

    def all(self) -> list[QuotaWait]:
        """Return every recorded wait by detector name. DynamoDB deletes expired waits within days."""
        return [QuotaWait.from_item(item) for item in self.table.query("QUOTA_WAIT")]

    def record(self, wait: QuotaWait) -> None:
        """Record a wait in place of any other of the detector."""
        self.table.put({"pk": "QUOTA_WAIT", **wait.to_item()})

    def end(self, detector: str) -> None:
        """End the wait of a detector, if it waits."""
        self.table.delete("QUOTA_WAIT", detector)
