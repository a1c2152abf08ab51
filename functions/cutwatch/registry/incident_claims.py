"""Claims on incidents: whether a live run or a transform notifies an incident, and what was notified of it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.detection.anomaly_event import AnomalyEvent, Severity, event_start
from cutwatch.errors import ConditionFailed
from cutwatch.registry.retention import expires_at
from cutwatch.timestamps import format_timestamp

# The owner of claims by live runs; a transform's is the id of its run.
LIVE = "live"
# The key of the first notification of people.
PEOPLE_BEGAN = "people:began"


@dataclass(frozen=True)
class IncidentClaim:
    """A claim by `owner`; `severity` is the highest that was notified, `notified` the keys of changes that were notified."""

    owner: str
    event: AnomalyEvent
    severity: Severity
    notified: frozenset[str] = frozenset()
    mailed: bool = False


@dataclass(frozen=True)
class IncidentClaimStore:
    """The items `LIVE#<detector> / <start of the incident>`."""

    table: Table

    def claim(
        self, detector: str, event: AnomalyEvent, severity: Severity, owner: str, now: datetime
    ) -> IncidentClaim:
        """Claim an incident at a severity; return the claim, which is another owner's if that was first.

        A transform takes over claims whose owner has notified nobody: those of other transforms, which failed if their
        window is scored again, and those of live runs that people were not notified of.
        """
        free = "claimed_by = :owner"
        if owner != LIVE:
            free = "claimed_by <> :live OR NOT contains(notified, :began)"
        values = {
            "owner": owner,
            "event": json.dumps(asdict(event)),
            "severity": severity,
            "expires": expires_at(now),
            **({} if owner == LIVE else {"live": LIVE, "began": PEOPLE_BEGAN}),
        }
        try:
            item = self.table.update(
                _partition(detector),
                event_start(event.id),
                "SET claimed_by = :owner, incident = :event, severity = if_not_exists(severity, :severity), expires_at = :expires",
                values,
                f"attribute_not_exists(claimed_by) OR {free}",
            )
        except ConditionFailed:
            item = self.table.get(_partition(detector), event_start(event.id)) or {}
        return _claim(item)

    def mark(self, detector: str, claim: IncidentClaim) -> None:
        """Record what was notified of an incident, at which severity, and whether any of it was mailed."""
        self.table.update(
            _partition(detector),
            event_start(claim.event.id),
            "SET notified = :notified, mailed = :mailed, severity = :severity",
            {
                "notified": sorted(claim.notified),
                "mailed": claim.mailed,
                "severity": claim.severity,
            },
        )

    def between(self, detector: str, since: datetime, until: datetime) -> list[IncidentClaim]:
        """Return the claims on incidents of a detector that begin in a time range."""
        between = (format_timestamp(since), format_timestamp(until))
        return [_claim(item) for item in self.table.query(_partition(detector), between=between)]


def _partition(detector: str) -> str:
    return f"LIVE#{detector}"


def _claim(item: Mapping[str, Any]) -> IncidentClaim:
    return IncidentClaim(
        item["claimed_by"],
        AnomalyEvent.from_payload(json.loads(item["incident"])),
        item["severity"],
        frozenset(item.get("notified", ())),
        item.get("mailed", False),
    )
