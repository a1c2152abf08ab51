"""ListShards' filter: which shards there were at a time, or from a time on."""

from collections.abc import Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.kinesis.shards import Shard
from localaws.kinesis.stream import Stream


def passes(shard: Shard, wanted: Mapping[str, Any] | None, stream: Stream, now: float) -> bool:
    """Return whether a shard passes the filter of a request, if it has one."""
    if wanted is None:
        return True
    kind = wanted["Type"]
    if kind == "AFTER_SHARD_ID":
        return shard.id > str(wanted.get("ShardId", ""))
    if kind == "AT_LATEST":
        return shard.is_open
    if kind == "FROM_TRIM_HORIZON":
        return True
    if kind == "AT_TRIM_HORIZON":
        return not any(parent in stream.shards for parent in shard.parents)
    return _at_time(shard, kind, wanted, now)


def _at_time(shard: Shard, kind: str, wanted: Mapping[str, Any], now: float) -> bool:
    if "Timestamp" not in wanted:
        raise ApiError("InvalidArgumentException", f"Timestamp is required for filter type {kind}.")
    moment = float(wanted["Timestamp"])
    lives = shard.closed_at is None or shard.closed_at > moment
    return lives and (kind == "FROM_TIMESTAMP" or shard.opened_at <= min(moment, now))
