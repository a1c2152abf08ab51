"""Shards and the records in them."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws.kinesis.throughput import Throughput
from localaws.limits import (
    KINESIS_SHARD_READ_BYTES_PER_SECOND,
    KINESIS_SHARD_READS_PER_SECOND,
    KINESIS_SHARD_RECORDS_PER_SECOND,
    KINESIS_SHARD_WRITE_BYTES_PER_SECOND,
)

HASH_KEYS = 1 << 128


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """A record; `data` is in base64, `size` are the bytes of data and partition key, `arrived` are epoch seconds."""

    number: int
    partition_key: str
    data: str
    size: int
    arrived: float

    def described(self) -> dict[str, Any]:
        return {
            "SequenceNumber": str(self.number),
            "ApproximateArrivalTimestamp": self.arrived,
            "Data": self.data,
            "PartitionKey": self.partition_key,
        }


@dataclass(eq=False)
class Shard:
    """A range of hash keys, both ends included; closed once it has an ending number."""

    index: int
    first_hash: int
    last_hash: int
    first_number: int
    opened_at: float
    parents: tuple[str, ...] = ()
    last_number: int | None = None
    closed_at: float | None = None
    records: list[StoredRecord] = field(default_factory=list)
    writes: Throughput = field(
        default_factory=lambda: Throughput(
            KINESIS_SHARD_RECORDS_PER_SECOND, KINESIS_SHARD_WRITE_BYTES_PER_SECOND
        )
    )
    reads: Throughput = field(
        default_factory=lambda: Throughput(
            KINESIS_SHARD_READS_PER_SECOND, KINESIS_SHARD_READ_BYTES_PER_SECOND
        )
    )

    @property
    def id(self) -> str:
        return f"shardId-{self.index:012d}"

    @property
    def is_open(self) -> bool:
        return self.last_number is None

    def owns(self, hash_key: int) -> bool:
        return self.first_hash <= hash_key <= self.last_hash

    def after(self, number: int) -> Sequence[StoredRecord]:
        """Return the records behind a sequence number, oldest first."""
        return self.records[bisect_right(self.records, number, key=_number) :]

    def number_before(self, moment: float) -> int:
        """Return the number after which the records that arrived from this time on begin."""
        place = bisect_left(self.records, moment, key=lambda record: record.arrived)
        return self.records[place - 1].number if place else 0

    def newest_number(self) -> int:
        return self.records[-1].number if self.records else 0

    def expire(self, before: float) -> None:
        del self.records[: bisect_left(self.records, before, key=lambda record: record.arrived)]

    def described(self) -> dict[str, Any]:
        numbers = {"StartingSequenceNumber": str(self.first_number)}
        if self.last_number is not None:
            numbers["EndingSequenceNumber"] = str(self.last_number)
        return {
            "ShardId": self.id,
            **dict(zip(("ParentShardId", "AdjacentParentShardId"), self.parents, strict=False)),
            "HashKeyRange": self.hash_range(),
            "SequenceNumberRange": numbers,
        }

    def hash_range(self) -> Mapping[str, str]:
        return {"StartingHashKey": str(self.first_hash), "EndingHashKey": str(self.last_hash)}


def _number(record: StoredRecord) -> int:
    return record.number
