"""Turns of live buckets: which run has taken each, so that one of its invocations scores it."""

from dataclasses import dataclass

from cutwatch.aws.dynamodb import Table
from cutwatch.errors import ConditionFailed


@dataclass(frozen=True)
class BucketTurns:
    """The items `LIVE_BUCKET / <number>`."""

    table: Table

    def take(self, number: int, run: str) -> bool:
        """Take a bucket for a run (ISO 8601); return False if this run, or a later one, has taken it."""
        try:
            self.table.update(
                "LIVE_BUCKET",
                f"{number:04d}",
                "SET taken_by = :run",
                {"run": run},
                "attribute_not_exists(taken_by) OR taken_by < :run",
            )
        except ConditionFailed:
            return False
        return True
