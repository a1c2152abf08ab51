"""Records sampled from the shards of a Kinesis stream, within the limits of GetRecords."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from cutwatch_cli.streams.sampled_fields import SampledRecord

Position = Literal["oldest", "newest"]
_ITERATOR_TYPES = {"oldest": "TRIM_HORIZON", "newest": "LATEST"}
# GetRecords allows 5 calls a second and shard, and may return nothing although there are records further on.
_PAUSE_SECONDS = 0.25
_EMPTY_ANSWERS = 20
_LARGEST_REQUEST = 10_000


def sample_records(
    kinesis: Any,
    source: str,
    count: int,
    position: Position,
    patience: float,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list[SampledRecord]:
    """Return up to `count` records of a stream, by its name or ARN, from all its shards in turn.

    With `newest`, wait up to `patience` seconds for records to arrive.
    """
    stream = {"StreamARN" if source.startswith("arn:") else "StreamName": source}
    iterators = _iterators(kinesis, stream, position, count)
    found: list[SampledRecord] = []
    until, empty = clock() + patience, 0
    while iterators and len(found) < count:
        share = -(-(count - len(found)) // len(iterators))
        before = len(found)
        iterators = _read_each(kinesis, stream, iterators, share, found, position)
        empty = empty + 1 if len(found) == before else 0
        if clock() > until if position == "newest" else empty > _EMPTY_ANSWERS:
            break
        if len(found) < count:
            sleep(_PAUSE_SECONDS)
    return found[:count]


def _iterators(kinesis: Any, stream: dict[str, str], position: Position, count: int) -> list[str]:
    """Return an iterator for each shard, for at most as many shards as there are records to read."""
    shards = [*_shards(kinesis, stream)]
    is_open = [each for each in shards if "EndingSequenceNumber" not in each["SequenceNumberRange"]]
    chosen = is_open if position == "newest" else shards
    return [
        kinesis.get_shard_iterator(
            **stream, ShardId=each["ShardId"], ShardIteratorType=_ITERATOR_TYPES[position]
        )["ShardIterator"]
        for each in chosen[:count]
    ]


def _shards(kinesis: Any, stream: dict[str, str]) -> Iterator[dict[str, Any]]:
    answer = kinesis.list_shards(**stream)
    yield from answer["Shards"]
    while "NextToken" in answer:
        answer = kinesis.list_shards(NextToken=answer["NextToken"])
        yield from answer["Shards"]


def _read_each(
    kinesis: Any,
    stream: dict[str, str],
    iterators: Sequence[str],
    share: int,
    found: list[SampledRecord],
    position: Position,
) -> list[str]:
    """Read up to `share` records of each shard; return the iterators that may have more."""
    by_arn = {name: value for name, value in stream.items() if name == "StreamARN"}
    following: list[str] = []
    for iterator in iterators:
        answer = kinesis.get_records(ShardIterator=iterator, Limit=min(share, _LARGEST_REQUEST), **by_arn)  # fmt: skip
        found += map(_sampled, answer["Records"])
        behind = answer.get("MillisBehindLatest", 0) > 0 or len(answer["Records"]) == share
        if answer.get("NextShardIterator") and (behind or position == "newest"):
            following.append(answer["NextShardIterator"])
    return following


def _sampled(record: dict[str, Any]) -> SampledRecord:
    arrival = record.get("ApproximateArrivalTimestamp")
    return SampledRecord(
        record["Data"], record["PartitionKey"], arrival.timestamp() if arrival else None
    )
