"""Incidents of streams in the registry, and the notifications that were sent of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cutwatch.aws.dynamodb import Table
from cutwatch.errors import ConditionFailed
from cutwatch.registry.retention import expires_at
from cutwatch.streams.incidents import Incident, IncidentChange
from cutwatch.timestamps import format_timestamp

_PARTITION = "INCIDENT"
_HOUR = 3_600


@dataclass(frozen=True)
class RecordedIncident:
    """An incident of a stream, the changes that were notified, and whether it ended and was mailed.

    `reason` says why it ended if its key was not normal again.
    """

    stream: str
    incident: Incident
    notified: frozenset[str] = frozenset()
    ended: bool = False
    mailed: bool = False
    reason: str = ""

    @property
    def is_settled(self) -> bool:
        """True if the incident ended and its end was notified."""
        return self.ended and any(each.startswith("ended:") for each in self.notified)


@dataclass(frozen=True)
class IncidentStore:
    """The items `INCIDENT / <begin>#<id>`.

    Also `STREAM#<name> / MAILS#<hour>` with the number of mails, and `STREAM#<name> / NOTICE#<id>` of mailed notices.
    """

    table: Table

    def record(self, stream: str, change: IncidentChange, now: datetime) -> RecordedIncident:
        """Record an incident after a change, unless it is recorded as it was later; return what is recorded."""
        incident, ended = change.incident, change.kind == "ended"
        values = {
            "stream": stream,
            "incident": json.dumps(incident.to_payload()),
            "over": ended,
            "version": 2 * incident.rows + ended,
            "reason": change.reason,
            "expires": expires_at(now),
        }
        try:
            item = self.table.update(
                _PARTITION,
                sort_key(incident),
                "SET stream_name = :stream, incident = :incident, is_over = :over, version = :version, expires_at = :expires, "
                "ended_because = :reason",
                values,
                "attribute_not_exists(version) OR version <= :version",
            )
        except ConditionFailed:
            item = self.table.get(_PARTITION, sort_key(incident)) or {}
        return _recorded(item)

    def mark(self, incident: Incident, notified: frozenset[str], *, mailed: bool) -> None:
        """Record which changes were notified, and whether any was mailed."""
        self.table.update(
            _PARTITION,
            sort_key(incident),
            "SET notified = :notified, mailed = :mailed",
            {"notified": sorted(notified), "mailed": mailed},
        )

    def between(self, since: datetime, until: datetime) -> list[RecordedIncident]:
        """Return the incidents that begin in a time range, newest first."""
        between = (format_timestamp(since), f"{format_timestamp(until)}~")
        return [_recorded(item) for item in self.table.query(_PARTITION, between=between)][::-1]

    def open(self, stream: str) -> list[Incident]:
        """Return the incidents of a stream whose end was not notified, the oldest first."""
        found = map(_recorded, self.table.query(_PARTITION))
        return [each.incident for each in found if each.stream == stream and not each.is_settled]

    def is_announced(self, stream: str, notice: str) -> bool:
        """Return True if a notice of a stream was mailed: several buckets may have the same."""
        return self.table.get(f"STREAM#{stream}", f"NOTICE#{notice}") is not None

    def mark_announced(self, stream: str, notice: str, now: datetime) -> None:
        """Record that a notice was mailed."""
        self.table.update(
            f"STREAM#{stream}",
            f"NOTICE#{notice}",
            "SET expires_at = :expires",
            {"expires": expires_at(now)},
        )

    def count_mail(self, stream: str, now: datetime, number: int = 1) -> int:
        """Count a mail of a stream, and return how many there are in this hour with it; -1 takes one back that was not sent."""
        item = self.table.update(
            f"STREAM#{stream}",
            f"MAILS#{now:%Y-%m-%dT%H}",
            "SET expires_at = :expires ADD mails :number",
            {"expires": int(now.timestamp()) + 2 * _HOUR, "number": number},
        )
        return int(item["mails"])


def sort_key(incident: Incident) -> str:
    """Return the sort key of an incident, which orders incidents by their beginning."""
    begin = datetime.fromtimestamp(incident.begin_time, UTC)
    return f"{format_timestamp(begin)}#{incident.id}"


def _recorded(item: Mapping[str, Any]) -> RecordedIncident:
    return RecordedIncident(
        stream=item["stream_name"],
        incident=Incident.from_payload(json.loads(item["incident"])),
        notified=frozenset(item.get("notified", ())),
        ended=item["is_over"],
        mailed=item.get("mailed", False),
        reason=item.get("ended_because", ""),
    )
