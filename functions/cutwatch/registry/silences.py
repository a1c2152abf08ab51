"""Silences: times in which the events of a detector are not notified. They do not affect metrics and failures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutwatch.timestamps import format_timestamp, parse_timestamp

_LISTED = 30


@dataclass(frozen=True)
class Silence:
    """A silence of one detector, with the operator's reason. It is in force before `until`."""

    detector: str
    since: datetime
    until: datetime
    reason: str

    def to_item(self) -> dict[str, Any]:
        """Return the item without its partition key; `expires_at` lets DynamoDB delete it."""
        return {
            "sk": self.detector,
            "since": format_timestamp(self.since),
            "until": format_timestamp(self.until),
            "reason": self.reason,
            "expires_at": int(self.until.timestamp()),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Silence":
        """Read the item that `to_item` wrote."""
        since, until = (
            parse_timestamp(item["since"], "since"),
            parse_timestamp(item["until"], "until"),
        )
        return cls(item["sk"], since, until, item["reason"])


def in_force(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    """Return the silences that have not expired: DynamoDB may take days to delete an expired item."""
    return [silence for silence in silences if now < silence.until]


def silenced_line(silences: Iterable[Silence]) -> str:
    """Return one line with the silenced detectors and the ends of their silences."""
    shown = [f"{silence.detector} until {silence.until:%Y-%m-%d %H:%M} UTC" for silence in silences]
    more = f" and {len(shown) - _LISTED} more" if len(shown) > _LISTED else ""
    return f"Silenced: {', '.join(shown[:_LISTED])}{more}"
