"""Streams as a whole: creating, describing, listing and changing them."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.api_response import ApiError
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.kinesis.shard_filters import passes
from localaws.kinesis.shards import Shard
from localaws.kinesis.stream import Stream
from localaws.limits import (
    KINESIS_ON_DEMAND_FIRST_SHARDS,
    KINESIS_RECORD_DEFAULT_MAX_KIB,
)

_PROVISIONED, _ON_DEMAND = "PROVISIONED", "ON_DEMAND"
_SHARDS_PER_PAGE, _STREAMS_PER_PAGE, _DESCRIBED_SHARDS_PER_PAGE = 1_000, 100, 100
_Parameters = Mapping[str, Any]


class Streams:
    """The streams of the account; `now` returns epoch seconds."""

    def __init__(self, region: str, now: Callable[[], float]) -> None:
        self._region = region
        self._now = now
        self._streams: dict[str, Stream] = {}

    def arn(self, name: str) -> str:
        return f"arn:aws:kinesis:{self._region}:{ACCOUNT_ID}:stream/{name}"

    def named(self, parameters: _Parameters) -> Stream:
        """Return the stream of a request, which names it or gives its ARN."""
        arn = parameters.get("StreamARN") or parameters.get("ResourceARN")
        if arn:
            return self.by_arn(arn)
        if "StreamName" not in parameters:
            raise ApiError(
                "InvalidArgumentException", "Either StreamName or StreamARN must be provided"
            )
        return self._by_name(parameters["StreamName"])

    def by_arn(self, arn: str) -> Stream:
        name = arn.rpartition("/")[2]
        if arn != self.arn(name):
            raise _not_found(f"Stream {arn}")
        return self._by_name(name)

    def create(self, parameters: _Parameters) -> dict[str, Any]:
        name = parameters["StreamName"]
        if name in self._streams:
            raise ApiError(
                "ResourceInUseException",
                f"Stream {name} under account {ACCOUNT_ID} already exists.",
            )
        mode = parameters.get("StreamModeDetails", {}).get("StreamMode", _PROVISIONED)
        now = self._now()
        stream = Stream(
            name,
            self.arn(name),
            round(now, 3),
            mode,
            parameters.get("MaxRecordSizeInKiB", KINESIS_RECORD_DEFAULT_MAX_KIB),
            tags=dict(parameters.get("Tags", {})),
        )
        stream.open_with(_first_shards(mode, parameters.get("ShardCount")), now)
        self._streams[name] = stream
        return {}

    def delete(self, _: _Parameters, stream: Stream) -> dict[str, Any]:
        del self._streams[stream.name]
        return {}

    def list(self, parameters: _Parameters) -> dict[str, Any]:
        after = parameters.get("ExclusiveStartStreamName") or parameters.get("NextToken") or ""
        names = [name for name in sorted(self._streams) if name > after]
        page = names[: parameters.get("Limit", _STREAMS_PER_PAGE)]
        more = len(page) < len(names)
        summaries = [_summary(self._streams[name]) for name in page]
        answer = {"StreamNames": page, "HasMoreStreams": more, "StreamSummaries": summaries}
        return answer | ({"NextToken": page[-1]} if more else {})

    def describe(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        after = parameters.get("ExclusiveStartShardId", "")
        shards = [shard for shard in stream.shards.values() if shard.id > after]
        page = shards[: parameters.get("Limit", _DESCRIBED_SHARDS_PER_PAGE)]
        return {
            "StreamDescription": {
                **_described(stream),
                "Shards": [shard.described() for shard in page],
                "HasMoreShards": len(page) < len(shards),
            }
        }

    def summarize(self, _: _Parameters, stream: Stream) -> dict[str, Any]:
        return {
            "StreamDescriptionSummary": {
                **_described(stream),
                "OpenShardCount": len(stream.open_shards),
                "ConsumerCount": 0,
                "MaxRecordSizeInKiB": stream.max_record_kib,
            }
        }

    def list_shards(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        after = parameters.get("ExclusiveStartShardId", "")
        wanted = parameters.get("ShardFilter")
        shards = [
            shard
            for shard in stream.shards.values()
            if shard.id > after and passes(shard, wanted, stream, self._now())
        ]
        page = shards[: parameters.get("MaxResults", _SHARDS_PER_PAGE)]
        answer: dict[str, Any] = {"Shards": [shard.described() for shard in page]}
        if len(page) < len(shards):
            answer["NextToken"] = _token(stream, page[-1], wanted)
        return answer

    def _by_name(self, name: str) -> Stream:
        try:
            return self._streams[name]
        except KeyError:
            raise _not_found(f"Stream {name}") from None


def shard_page(parameters: _Parameters) -> _Parameters:
    """Return the parameters that the token of a ListShards stands for."""
    try:
        content: dict[str, Any] = json.loads(base64.b64decode(parameters["NextToken"]))
    except (ValueError, binascii.Error):
        raise ApiError("InvalidArgumentException", "NextToken is invalid.") from None
    return {**parameters, **content}


def _token(stream: Stream, last: Shard, wanted: Any) -> str:
    content: dict[str, Any] = {"StreamName": stream.name, "ExclusiveStartShardId": last.id}
    if wanted:
        content["ShardFilter"] = wanted
    return base64.b64encode(json.dumps(content).encode()).decode()


def _first_shards(mode: str, count: int | None) -> int:
    if mode == _ON_DEMAND:
        if count is not None:
            raise ApiError(
                "ValidationException",
                "Validation failed: ShardCount is not supported for ON_DEMAND streams.",
            )
        return KINESIS_ON_DEMAND_FIRST_SHARDS
    if count is None:
        raise ApiError("InvalidArgumentException", "ShardCount is required for PROVISIONED streams")
    return count


def _not_found(what: str) -> ApiError:
    return ApiError("ResourceNotFoundException", f"{what} under account {ACCOUNT_ID} not found.")


def _summary(stream: Stream) -> dict[str, Any]:
    return {
        "StreamName": stream.name,
        "StreamARN": stream.arn,
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": stream.mode},
        "StreamCreationTimestamp": stream.created,
    }


def _described(stream: Stream) -> dict[str, Any]:
    encryption = {"EncryptionType": "KMS", "KeyId": stream.key} if stream.key else {}
    return {
        **_summary(stream),
        "RetentionPeriodHours": stream.retention_hours,
        "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
        "EncryptionType": "NONE",
        **encryption,
    }
