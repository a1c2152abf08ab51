"""Runs in the registry: their fixed "now", and when they were counted."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cutwatch.aws.dynamodb import Table
from cutwatch.errors import ConditionFailed
from cutwatch.registry.retention import expires_at
from cutwatch.registry.run import Kind, Run
from cutwatch.timestamps import format_timestamp, parse_timestamp

_REOPEN_AFTER = timedelta(days=13)


@dataclass(frozen=True)
class RunStore:
    """The items `RUN#<id> / RUN` and `NEWEST / <kind of run>`."""

    table: Table

    def open(self, run: str, started: datetime) -> datetime:
        """Return the run's fixed "now": the start of its first execution.

        A repetition so late that CloudWatch would refuse the old "now" gets a new one.
        """
        with suppress(ConditionFailed):
            self.table.update(
                f"RUN#{run}",
                "RUN",
                "SET opened_at = :now, expires_at = :expires REMOVE closed_at",
                {
                    "now": format_timestamp(started),
                    "expires": expires_at(started),
                    "stale": format_timestamp(started - _REOPEN_AFTER),
                },
                "attribute_not_exists(opened_at) OR opened_at < :stale",
            )
        item = self.table.get(f"RUN#{run}", "RUN") or {}
        return parse_timestamp(item["opened_at"], "opened_at")

    def close(self, run: Run, now: datetime) -> datetime:
        """Return when the run's totals were first counted, which is fixed by the first call.

        Also note the newest complete run of the kind, from which the time since the last run is measured.
        """
        closed = self.table.update(
            f"RUN#{run.id}",
            "RUN",
            "SET closed_at = if_not_exists(closed_at, :now)",
            {"now": format_timestamp(now)},
        )
        if not run.narrowed:
            self._note_newest(run)
        return parse_timestamp(closed["closed_at"], "closed_at")

    def _note_newest(self, run: Run) -> None:
        with suppress(ConditionFailed):
            self.table.update(
                "NEWEST",
                run.kind,
                "SET scheduled_time = :scheduled, run = :run",
                {"scheduled": run.scheduled_time, "run": run.id},
                "attribute_not_exists(scheduled_time) OR scheduled_time < :scheduled",
            )

    def newest_closed(self, kind: Kind, now: datetime) -> datetime:
        """Return the scheduled time of the newest closed run of a kind; before the first, the time of the first call."""
        item = self.table.update(
            "NEWEST",
            kind,
            "SET asked_at = if_not_exists(asked_at, :now)",
            {"now": format_timestamp(now)},
        )
        return parse_timestamp(item.get("scheduled_time") or item["asked_at"], "scheduled_time")
