"""Notifications of each run, and the lock of the execution that sends them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from cutwatch.aws.dynamodb import Table
from cutwatch.errors import ConditionFailed
from cutwatch.timestamps import format_timestamp

_CLAIM = timedelta(minutes=15)


@dataclass(frozen=True)
class NotificationStore:
    """The notification lock in the items `RUN#<id> / RUN`."""

    table: Table

    def claim(self, run: str, execution: str, now: datetime) -> set[str] | None:
        """Take the run's notification lock and return the keys of sent notifications; None while another execution holds the lock.

        The lock expires after 15 minutes, so that an execution that died does not block the next.
        """
        try:
            item = self.table.update(
                f"RUN#{run}",
                "RUN",
                "SET notifier = :execution, claimed_until = :until",
                {
                    "execution": execution,
                    "until": format_timestamp(now + _CLAIM),
                    "now": format_timestamp(now),
                },
                "attribute_not_exists(notifier) OR notifier = :execution OR claimed_until < :now",
            )
        except ConditionFailed:
            return None
        return set(item.get("notified", []))

    def mark(self, run: str, notified: set[str]) -> None:
        """Record the keys of all sent notifications of a run."""
        self.table.update(
            f"RUN#{run}", "RUN", "SET notified = :notified", {"notified": sorted(notified)}
        )

    def release(self, run: str) -> None:
        """Release the lock, so that other executions can notify what is new by then."""
        self.table.update(f"RUN#{run}", "RUN", "REMOVE notifier, claimed_until", {})
