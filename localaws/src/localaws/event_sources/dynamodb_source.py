"""The stream of a DynamoDB table as a source, read with the role of the function.

MiniStack keeps a stream as one shard. As on AWS, a shard here is open for four hours only, and goes on in a child.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.clock import Clock
from localaws.event_sources.batches import SourceRecord
from localaws.event_sources.source import (
    LaneName,
    Page,
    SourceThrottled,
    SourceUnreadable,
    Start,
)

SHARD_SECONDS = 4 * 3_600
_RETENTION = timedelta(hours=24)


class _IteratorExpired(Exception):
    """An iterator that was kept for too long."""


class _Trimmed(Exception):
    """The place to read on from has expired."""


_MEANINGS: Mapping[str, type[Exception]] = {
    "ExpiredIteratorException": _IteratorExpired,
    "InternalServerError": SourceThrottled,
    "LimitExceededException": SourceThrottled,
    "ProvisionedThroughputExceededException": SourceThrottled,
    "ThrottlingException": SourceThrottled,
    "TrimmedDataAccessException": _Trimmed,
}


class DynamoDBSource:
    """`client` returns a client of the role that reads."""

    batch_info = "DDBStreamBatchInfo"

    def __init__(self, arn: str, client: Callable[[], Any], clock: Clock) -> None:
        self.arn = arn
        self._client = client
        self._clock = clock
        self._iterators: dict[tuple[str, Start], str] = {}

    def retention_seconds(self) -> float:
        return _RETENTION.total_seconds()

    def lanes(self) -> Sequence[LaneName]:
        """Return the shards of the last 24 hours, each with the one before as its parent."""
        self._shard()
        newest = self._window(self._clock.now())
        oldest = self._window(self._clock.now() - _RETENTION)
        names = [shard_id(window) for window in range(oldest, newest + 1)]
        parents = [(), *((name,) for name in names)]
        return [LaneName(*each) for each in zip(names, parents, strict=False)]

    def read(self, lane: str, start: Start) -> Page:
        window = int(lane.rpartition("-")[2])
        answer = self._records(lane, start)
        records = [self._record(each) for each in answer["Records"]]
        windows = [int(each.arrived) // SHARD_SECONDS for each in records]
        own = [each for each, place in zip(records, windows, strict=True) if place == window]
        has_ended = any(place > window for place in windows)
        is_closed = window < self._window(self._clock.now())
        more = len(records) > 0
        if has_ended or (is_closed and not more):
            return Page(own, None, has_more=False)
        read_on = Start(after=records[-1].position) if records else start
        if answer.get("NextShardIterator"):
            self._iterators[lane, read_on] = answer["NextShardIterator"]
        return Page(own, read_on, has_more=more)

    def _records(self, lane: str, start: Start) -> Mapping[str, Any]:
        known = self._iterators.pop((lane, start), None)
        try:
            return self._call("get_records", ShardIterator=known or self._iterator(start))
        except _IteratorExpired:
            return self._call("get_records", ShardIterator=self._iterator(start))

    def _iterator(self, start: Start) -> str:
        where = {"ShardIteratorType": "TRIM_HORIZON"}
        if start.after is not None:
            where = {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": start.after}
        shard = {"StreamArn": self.arn, "ShardId": self._shard()}
        try:
            answer = self._call("get_shard_iterator", **shard, **where)
        except _Trimmed:
            oldest = {"ShardIteratorType": "TRIM_HORIZON"}
            answer = self._call("get_shard_iterator", **shard, **oldest)
        return str(answer["ShardIterator"])

    def _shard(self) -> str:
        described = self._call("describe_stream", StreamArn=self.arn)["StreamDescription"]
        return str(described["Shards"][0]["ShardId"])

    def _call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client(), operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise _as_ours(error) from error
        return answer

    def _record(self, record: Mapping[str, Any]) -> SourceRecord:
        event = {**_plain(record), "eventSourceARN": self.arn}
        dynamodb = event["dynamodb"]
        key = json.dumps(dynamodb["Keys"], sort_keys=True)
        size = len(json.dumps(event)) + len(", ")
        arrived = float(dynamodb["ApproximateCreationDateTime"])
        return SourceRecord(dynamodb["SequenceNumber"], key, arrived, size, event)

    @staticmethod
    def _window(time: datetime) -> int:
        return int(time.timestamp()) // SHARD_SECONDS


def shard_id(window: int) -> str:
    """Return the id of the shard that is open from `window` times four hours since 1970 on."""
    return f"shardId-{window * SHARD_SECONDS:020d}-{window:08d}"


def _plain(value: Any) -> Any:
    """Return a value of the API as Lambda's events have it: times in epoch seconds, bytes in base64."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.timestamp()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _as_ours(error: Exception) -> Exception:
    if not isinstance(error, ClientError):
        return SourceThrottled(str(error))
    described = error.response["Error"]
    return _MEANINGS.get(described["Code"], SourceUnreadable)(described["Message"])
