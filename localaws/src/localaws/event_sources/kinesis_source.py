"""A Kinesis stream as a source, read with the role of the function."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.event_sources.batches import SourceRecord
from localaws.event_sources.source import (
    LaneName,
    Page,
    SourceThrottled,
    SourceUnreadable,
    Start,
)
from localaws.limits import KINESIS_GET_RECORDS_MAX_RECORDS

_SECONDS_PER_HOUR = 3600


class _IteratorExpired(Exception):
    """An iterator that was kept for too long."""


_MEANINGS: Mapping[str, type[Exception]] = {
    "ExpiredIteratorException": _IteratorExpired,
    "InternalFailure": SourceThrottled,
    "LimitExceededException": SourceThrottled,
    "ProvisionedThroughputExceededException": SourceThrottled,
    "ServiceUnavailable": SourceThrottled,
    "ThrottlingException": SourceThrottled,
}


class KinesisSource:
    """`client` returns a client of the role that reads, whose ARN `role` returns."""

    batch_info = "KinesisBatchInfo"

    def __init__(self, arn: str, client: Callable[[], Any], role: Callable[[], str]) -> None:
        self.arn = arn
        self._client = client
        self._role = role
        self._iterators: dict[tuple[str, Start], str] = {}

    def retention_seconds(self) -> float:
        described = self._call("describe_stream_summary", StreamARN=self.arn)
        hours: int = described["StreamDescriptionSummary"]["RetentionPeriodHours"]
        return hours * _SECONDS_PER_HOUR

    def lanes(self) -> Sequence[LaneName]:
        names: list[LaneName] = []
        page = self._call("list_shards", StreamARN=self.arn)
        while True:
            names.extend(_lane(shard) for shard in page["Shards"])
            if "NextToken" not in page:
                return names
            page = self._call("list_shards", NextToken=page["NextToken"], StreamARN=self.arn)

    def read(self, lane: str, start: Start) -> Page:
        answer = self._records(lane, start)
        records = [self._record(lane, record) for record in answer["Records"]]
        behind = answer["MillisBehindLatest"] > 0
        if "NextShardIterator" not in answer:
            return Page(records, None, has_more=False)
        read_on = Start(after=records[-1].position) if records else start
        self._iterators[lane, read_on] = answer["NextShardIterator"]
        return Page(records, read_on, has_more=behind)

    def _records(self, lane: str, start: Start) -> Mapping[str, Any]:
        known = self._iterators.pop((lane, start), None)
        try:
            return self._get_records(known or self._iterator(lane, start))
        except _IteratorExpired:
            return self._get_records(self._iterator(lane, start))

    def _get_records(self, iterator: str) -> Mapping[str, Any]:
        most = KINESIS_GET_RECORDS_MAX_RECORDS
        return self._call("get_records", ShardIterator=iterator, StreamARN=self.arn, Limit=most)

    def _iterator(self, lane: str, start: Start) -> str:
        where: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if start.after is not None:
            where = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": start.after,
            }
        elif start.moment is not None:
            where = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": start.moment}
        answer = self._call("get_shard_iterator", StreamARN=self.arn, ShardId=lane, **where)
        return str(answer["ShardIterator"])

    def _call(self, operation: str, **parameters: Any) -> Mapping[str, Any]:
        try:
            answer: Mapping[str, Any] = getattr(self._client(), operation)(**parameters)
        except (ClientError, BotoCoreError) as error:
            raise _as_ours(error) from error
        return answer

    def _record(self, lane: str, record: Mapping[str, Any]) -> SourceRecord:
        number, key = record["SequenceNumber"], record["PartitionKey"]
        arrived = record["ApproximateArrivalTimestamp"].timestamp()
        data = base64.b64encode(record["Data"]).decode()
        event = {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": key,
                "sequenceNumber": number,
                "data": data,
                "approximateArrivalTimestamp": arrived,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{lane}:{number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": self._role(),
            "awsRegion": self.arn.split(":")[3],
            "eventSourceARN": self.arn,
        }
        return SourceRecord(number, key, arrived, len(json.dumps(event)) + len(", "), event)


def _lane(shard: Mapping[str, Any]) -> LaneName:
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return LaneName(shard["ShardId"], tuple(parent for parent in parents if parent))


def _as_ours(error: Exception) -> Exception:
    if not isinstance(error, ClientError):
        return SourceThrottled(str(error))
    described = error.response["Error"]
    return _MEANINGS.get(described["Code"], SourceUnreadable)(described["Message"])
