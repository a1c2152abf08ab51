"""Silences: detectors whose events nobody is to be told of for a while. Metrics and failures know nothing of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cutwatch.timestamps import format_timestamp, parse_timestamp

_LISTED = 30


@dataclass(frozen=True)
class Silence:
    """One detector's, with the reason that a person gave. It is in force before `until`."""

    detector: str
    since: datetime
    until: datetime
    reason: str

    def to_item(self) -> dict[str, Any]:
        """As the registry keeps it, less the partition; `expires_at` lets DynamoDB delete it."""
        return {
            "sk": self.detector,
            "since": format_timestamp(self.since),
            "until": format_timestamp(self.until),
            "reason": self.reason,
            "expires_at": int(self.until.timestamp()),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "Silence":
        """Read back what `to_item` wrote."""
        since, until = (
            parse_timestamp(item["since"], "since"),
            parse_timestamp(item["until"], "until"),
        )
        return cls(item["sk"], since, until, item["reason"])


def in_force(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    """Those that are not over: DynamoDB may take days to delete what has expired."""
    return [silence for silence in silences if now < silence.until]


def silenced_line(silences: Iterable[Silence]) -> str:
    """In one line, which detectors are silenced and until when."""
    told = [f"{silence.detector} until {silence.until:%Y-%m-%d %H:%M} UTC" for silence in silences]
    more = f" and {len(told) - _LISTED} more" if len(told) > _LISTED else ""
    return f"Silenced: {', '.join(told[:_LISTED])}{more}"
