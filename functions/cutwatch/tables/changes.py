"""DynamoDB Streams: from a Lambda event to changes of items, and from failed changes to its partial response."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cutwatch.errors import InvalidInput
from cutwatch.streams.record import RawRecord

# What a mapping's filter should let pass: items that are gone have no values to score.
SCORED_EVENTS = frozenset(("INSERT", "MODIFY"))
_EVENTS = SCORED_EVENTS | {"REMOVE"}
_DIGEST = 16


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an item. `sequence` is its place among the changes of the shard, `image` the item after it.

    `raw` is the record without DynamoDB's event around it; its lane is a digest of the item's keys, because DynamoDB orders
    the changes of an item and names no shard.
    """

    sequence: str
    image: Mapping[str, Any] | None
    raw: RawRecord

    @property
    def id(self) -> str:
        """Identity of the change, the same whenever it is delivered."""
        return f"{self.raw.lane}:{self.raw.position}"


def changes_of(event: Any) -> list[Change]:
    """Return the changes that an event of a mapping inserts or modifies. Raises `InvalidInput` if it is not one."""
    try:
        return [_change(each) for each in event["Records"] if _is_scored(each["eventName"])]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"not an event of a DynamoDB event source mapping ({error!r}); see events/score_dynamodb_stream.json"
        ) from None


def _is_scored(name: str) -> bool:
    if name not in _EVENTS:
        raise ValueError(f"eventName {name!r}")
    return name in SCORED_EVENTS


def _change(record: Mapping[str, Any]) -> Change:
    dynamodb = record["dynamodb"]
    keys = json.dumps(dynamodb["Keys"], sort_keys=True)
    image = dynamodb.get("NewImage")
    raw = RawRecord(
        json.dumps(image if image is not None else dynamodb["Keys"]).encode(),
        hashlib.sha256(keys.encode()).hexdigest()[:_DIGEST],
        int(dynamodb["SequenceNumber"]),
        float(dynamodb["ApproximateCreationDateTime"]),
        keys,
    )
    return Change(dynamodb["SequenceNumber"], image, raw)


def partial_response(changes: Sequence[Change], failed: Sequence[Change]) -> dict[str, Any]:
    """Return the answer to the mapping, which sends the first failed change and all after it again."""
    lost = {change.id for change in failed}
    first = next((each.sequence for each in changes if each.id in lost), None)
    return {"batchItemFailures": [] if first is None else [{"itemIdentifier": first}]}
