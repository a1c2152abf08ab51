"""Waits for a quota: detectors whose jobs SageMaker refuses for now, because a quota of the account is in use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cutwatch.timestamps import format_timestamp, parse_timestamp

# Longer than all retries of the state machines together, so only a wait of an aborted execution gets this old.
LONGEST_WAIT = timedelta(hours=8)


@dataclass(frozen=True)
class QuotaWait:
    """A wait of one detector in a run. `message` is AWS's own, which names the quota or resource limit."""

    detector: str
    run: str
    instance_type: str
    since: datetime
    message: str

    def to_item(self) -> dict[str, Any]:
        """Return the item without its partition key; `expires_at` lets DynamoDB delete it."""
        return {
            "sk": self.detector,
            "run": self.run,
            "instance_type": self.instance_type,
            "since": format_timestamp(self.since),
            "message": self.message,
            "expires_at": int((self.since + LONGEST_WAIT).timestamp()),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> "QuotaWait":
        """Read the item that `to_item` wrote."""
        since = parse_timestamp(item["since"], "since")
        return cls(item["sk"], item["run"], item["instance_type"], since, item["message"])


def still_waiting(waits: Iterable[QuotaWait], now: datetime) -> list[QuotaWait]:
    """Return the waits that retries can still end: an aborted execution leaves its waits behind."""
    return [wait for wait in waits if now - wait.since < LONGEST_WAIT]
