"""SplitShard, MergeShards and UpdateShardCount."""

from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.kinesis.stream import Stream

_Parameters = Mapping[str, Any]


class Resharding:
    """`now` returns epoch seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def split(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        shard = stream.shard(parameters["ShardToSplit"])
        stream.split(shard, int(parameters["NewStartingHashKey"]), self._now())
        return {}

    def merge(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        shard = stream.shard(parameters["ShardToMerge"])
        adjacent = stream.shard(parameters["AdjacentShardToMerge"])
        stream.merge(shard, adjacent, self._now())
        return {}

    def resize(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        """Change the number of open shards, at most to the double and at least to the half."""
        target, current = int(parameters["TargetShardCount"]), len(stream.open_shards)
        if stream.mode == "ON_DEMAND":
            raise ApiError(
                "ValidationException",
                "UpdateShardCount is not supported for streams in ON_DEMAND mode.",
            )
        if target == current:
            raise ApiError(
                "InvalidArgumentException",
                f"TargetShardCount {target} is the current shard count of stream {stream.name}.",
            )
        if not current <= target * 2 <= current * 4:
            raise ApiError(
                "LimitExceededException",
                f"UpdateShardCount cannot scale up over double or down below half of your current "
                f"open shard count. Current open shard count: {current} Target shard count: "
                f"{target}",
            )
        stream.resize(target, self._now())
        return {
            "StreamName": stream.name,
            "StreamARN": stream.arn,
            "CurrentShardCount": current,
            "TargetShardCount": target,
        }
