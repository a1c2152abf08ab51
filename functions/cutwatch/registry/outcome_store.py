"""Outcomes in the registry."""

from dataclasses import dataclass
from datetime import datetime

from cutwatch.aws.dynamodb import Table
from cutwatch.errors import ConditionFailed
from cutwatch.registry.outcome import SUCCESSES, Outcome, Status
from cutwatch.registry.retention import expires_at


@dataclass(frozen=True)
class OutcomeStore:
    """The items `RUN#<id> / OUTCOME#<detector>`."""

    table: Table

    def record(
        self,
        run: str,
        now: datetime,
        outcome: Outcome,
        keeps: tuple[Status, ...] = SUCCESSES,
    ) -> bool:
        """Record how a detector's part of a run ended; return whether it was recorded.

        Only a success replaces an outcome whose status is one of `keeps`.
        """
        item = {
            "pk": f"RUN#{run}",
            "sk": f"OUTCOME#{outcome.detector}",
            "expires_at": expires_at(now),
            **outcome.to_payload(),
        }
        if outcome.status in SUCCESSES or not keeps:
            self.table.put(item)
            return True
        kept = {f":s{number}": status for number, status in enumerate(keeps)}
        condition = f"attribute_not_exists(pk) OR NOT #status IN ({', '.join(kept)})"
        try:
            self.table.put(item, condition, {"#status": "status"}, kept)
        except ConditionFailed:
            return False
        return True

    def get(self, run: str, detector: str) -> Outcome | None:
        """Return how a detector's part of a run ended; None if it has not."""
        item = self.table.get(f"RUN#{run}", f"OUTCOME#{detector}")
        return Outcome.from_payload(item) if item else None

    def of_run(self, run: str) -> list[Outcome]:
        """Return the outcomes of a run in the order of the detectors' names."""
        return [Outcome.from_payload(item) for item in self.table.query(f"RUN#{run}", "OUTCOME#")]
