"""Kinesis: from a Lambda event to records, from failed records to its partial response, and how far a stream was read."""

from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cutwatch.errors import InvalidInput, NotFound
from cutwatch.streams.record import RawRecord

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_MILLISECONDS = 1_000
_HOUR = 3_600.0
# The shortest that a stream keeps its records, in seconds; nothing expires on the second.
_SHORTEST_RETENTION, _MARGIN = 24 * _HOUR, 600.0


def records_of(event: Any) -> list[RawRecord]:
    """Return the records of an event of a mapping. Raises `InvalidInput` if it is not one."""
    try:
        return [_record(each) for each in event["Records"]]
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"not an event of a Kinesis event source mapping ({error!r}); see events/score_kinesis.json"
        ) from None


def _record(record: Mapping[str, Any]) -> RawRecord:
    kinesis = record["kinesis"]
    shard, _, _ = record["eventID"].rpartition(":")
    return RawRecord(
        a2b_base64(kinesis["data"]),
        shard,
        int(kinesis["sequenceNumber"]),
        float(kinesis["approximateArrivalTimestamp"]),
        kinesis["partitionKey"],
    )


def partial_response(failed: Sequence[RawRecord]) -> dict[str, Any]:
    """Return the answer to the mapping, which sends the first failed record and all after it again."""
    first = min((each.position for each in failed), default=None)
    failures = [] if first is None else [{"itemIdentifier": str(first)}]
    return {"batchItemFailures": failures}


class Retention:
    """Retention of a stream. Kinesis is asked only about records that are old enough, once an hour."""

    def __init__(self, kinesis: "KinesisClient", arn: str, clock: Callable[[], float]) -> None:
        self._kinesis, self._arn, self._clock = kinesis, arn, clock
        self._hours, self._asked = 0, 0.0

    def has_expired(self, arrival: float) -> bool:
        """Return True if records that arrived shortly before an epoch second have left the stream by now."""
        now = self._clock()
        if now - arrival < _SHORTEST_RETENTION - _MARGIN:
            return False
        if now - self._asked > _HOUR:
            answer = self._kinesis.describe_stream_summary(StreamARN=self._arn)
            self._hours = answer["StreamDescriptionSummary"]["RetentionPeriodHours"]
            self._asked = now
        return now - arrival >= self._hours * _HOUR - _MARGIN


def is_read_to_the_end(kinesis: "KinesisClient", arn: str, applied: Mapping[str, int]) -> bool:
    """Return True if no shard has a record after the last one that was applied, by shard id.

    A record that was put meanwhile may be missed, as one that is still on its way.
    """
    return not any(
        _has_more(kinesis, arn, shard, applied.get(shard)) for shard in _shards(kinesis, arn)
    )


def _shards(kinesis: "KinesisClient", arn: str) -> Iterator[str]:
    for page in kinesis.get_paginator("list_shards").paginate(StreamARN=arn):
        yield from (shard["ShardId"] for shard in page["Shards"])


def _has_more(kinesis: "KinesisClient", arn: str, shard: str, position: int | None) -> bool:
    start: Any = (
        {"ShardIteratorType": "TRIM_HORIZON"}
        if position is None
        else {
            "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
            "StartingSequenceNumber": str(position),
        }
    )
    try:
        found = kinesis.get_shard_iterator(StreamARN=arn, ShardId=shard, **start)
        answer = kinesis.get_records(StreamARN=arn, ShardIterator=found["ShardIterator"], Limit=1)
    except NotFound:  # the shard's records have expired since it was listed
        return False
    return bool(answer["Records"]) or bool(
        answer["MillisBehindLatest"] and answer.get("NextShardIterator")
    )
