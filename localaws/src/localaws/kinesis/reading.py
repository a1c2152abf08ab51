"""GetShardIterator and GetRecords."""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from localaws.api_response import ApiError
from localaws.embedded_ministack import ACCOUNT_ID
from localaws.kinesis.iterators import ShardIterator
from localaws.kinesis.shards import Shard, StoredRecord
from localaws.kinesis.stream import Stream
from localaws.kinesis.streams import Streams
from localaws.limits import KINESIS_GET_RECORDS_MAX_BYTES, KINESIS_GET_RECORDS_MAX_RECORDS

_Parameters = Mapping[str, Any]


class Reading:
    """`now` returns epoch seconds."""

    def __init__(self, streams: Streams, now: Callable[[], float]) -> None:
        self._streams = streams
        self._now = now

    def stream_of(self, parameters: _Parameters) -> Stream:
        """Return the stream that an iterator is of; another one of the same name may be there by now."""
        iterator = ShardIterator.parse(parameters["ShardIterator"])
        iterator.check_age(self._now())
        stream = self._streams.by_arn(iterator.stream)
        given = parameters.get("StreamARN", stream.arn)
        if stream.created != iterator.created or given != stream.arn:
            raise ApiError("InvalidArgumentException", "Invalid ShardIterator.")
        return stream

    def iterator(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        shard = stream.shard(parameters["ShardId"])
        after = _START[parameters["ShardIteratorType"]](shard, parameters, stream)
        return {"ShardIterator": self._token(stream, shard, after)}

    def records(self, parameters: _Parameters, stream: Stream) -> dict[str, Any]:
        iterator = ShardIterator.parse(parameters["ShardIterator"])
        now = self._now()
        shard = stream.shard(iterator.shard)
        stream.check_read(shard, now)
        left = shard.after(iterator.after)
        page = _page(left, parameters.get("Limit", KINESIS_GET_RECORDS_MAX_RECORDS))
        shard.reads.use(now, sum(record.size for record in page))
        last = page[-1].number if page else iterator.after
        answer: dict[str, Any] = {
            "Records": [_described(record, stream) for record in page],
            "MillisBehindLatest": _lag(left[len(page) :], now),
        }
        if len(page) == len(left) and not shard.is_open:
            return answer | {"ChildShards": [_child(each) for each in stream.children_of(shard)]}
        return answer | {"NextShardIterator": self._token(stream, shard, last)}

    def _token(self, stream: Stream, shard: Shard, after: int) -> str:
        return ShardIterator(stream.arn, stream.created, shard.id, after, self._now()).token()


def _page(records: Sequence[StoredRecord], most: int) -> Sequence[StoredRecord]:
    """Return as many records as one answer holds, at least one if there is one."""
    page = records[:most]
    sizes = accumulate(record.size for record in page)
    fitting = sum(size <= KINESIS_GET_RECORDS_MAX_BYTES for size in sizes)
    return page[: max(1, fitting)]


def _lag(left: Sequence[StoredRecord], now: float) -> int:
    return max(0, int((now - left[0].arrived) * 1000)) if left else 0


def _described(record: StoredRecord, stream: Stream) -> dict[str, Any]:
    return record.described() | ({"EncryptionType": "KMS"} if stream.key else {})


def _child(shard: Shard) -> dict[str, Any]:
    return {
        "ShardId": shard.id,
        "ParentShards": list(shard.parents),
        "HashKeyRange": shard.hash_range(),
    }


def _at_number(shard: Shard, parameters: _Parameters, stream: Stream) -> int:
    return _after_number(shard, parameters, stream) - 1


def _after_number(shard: Shard, parameters: _Parameters, stream: Stream) -> int:
    text = parameters.get("StartingSequenceNumber")
    if text is None:
        raise ApiError(
            "InvalidArgumentException",
            f"Must either specify (1) {parameters['ShardIteratorType']} and "
            "StartingSequenceNumber or (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. "
            "Request specified no StartingSequenceNumber.",
        )
    number = int(text)
    if not stream.is_from(number, shard):
        raise ApiError(
            "InvalidArgumentException",
            f"StartingSequenceNumber {text} used in GetShardIterator on shard {shard.id} in stream "
            f"{stream.name} under account {ACCOUNT_ID} is invalid because it did not come from "
            "this stream.",
        )
    return number


def _from_timestamp(shard: Shard, parameters: _Parameters, _: Stream) -> int:
    if "Timestamp" not in parameters:
        raise ApiError(
            "InvalidArgumentException",
            "Must specify timestamp parameter for iterator of type AT_TIMESTAMP.",
        )
    return shard.number_before(float(parameters["Timestamp"]))


_START: Mapping[str, Callable[[Shard, _Parameters, Stream], int]] = {
    "TRIM_HORIZON": lambda *_: 0,
    "LATEST": lambda shard, *_: shard.newest_number(),
    "AT_SEQUENCE_NUMBER": _at_number,
    "AFTER_SEQUENCE_NUMBER": _after_number,
    "AT_TIMESTAMP": _from_timestamp,
}
