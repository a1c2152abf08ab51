from datetime import UTC, datetime
from typing import Any

import pytest

from cutwatch_cli.streams.kinesis_sample import sample_records

ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/s"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Shards:
    """Kinesis with shards of records; each answer has two of them at most, and every other one none."""

    def __init__(self, *shards: int, closed: int = 0) -> None:
        self.shards, self.closed = shards, closed
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.answers = 0

    def list_shards(self, **request: Any) -> dict[str, Any]:
        self.calls.append(("list_shards", request))
        numbers = range(len(self.shards))
        listed = [{"ShardId": str(n), "SequenceNumberRange": {"EndingSequenceNumber": "9"} if n < self.closed else {}} for n in numbers]  # fmt: skip
        if "NextToken" in request:
            return {"Shards": listed[1:]}
        return {"Shards": listed[:1], "NextToken": "more"}

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        self.calls.append(("get_shard_iterator", request))
        return {"ShardIterator": f"{request['ShardId']}:0"}

    def get_records(self, **request: Any) -> dict[str, Any]:
        self.calls.append(("get_records", request))
        self.answers += 1
        shard, begin = map(int, request["ShardIterator"].split(":"))
        end = min(begin + min(request["Limit"], 2), self.shards[shard])
        if self.answers % 2 == 0:
            end = begin
        records = [{"Data": b"%d:%d" % (shard, n), "PartitionKey": "k", "ApproximateArrivalTimestamp": NOW} for n in range(begin, end)]  # fmt: skip
        behind = self.shards[shard] - end
        return {"Records": records, "NextShardIterator": f"{shard}:{end}", "MillisBehindLatest": behind}  # fmt: skip


def sample(kinesis: Shards, count: int, source: str = ARN, position: Any = "oldest") -> list[bytes]:
    pauses: list[float] = []
    found = sample_records(
        kinesis, source, count, position, 5, pauses.append, lambda: sum(pauses) + 1e-6
    )
    return [record.data for record in found]


def test_all_shards_are_read_up_to_the_number_of_records() -> None:
    found = sample(Shards(3, 2, 50), 12)
    assert len(found) == 12
    assert {data[:1] for data in found} == {b"0", b"1", b"2"}


def test_a_stream_with_fewer_records_is_read_to_its_end() -> None:
    kinesis = Shards(3, 2)
    assert sorted(sample(kinesis, 100)) == [b"0:0", b"0:1", b"0:2", b"1:0", b"1:1"]
    assert [name for name, _ in kinesis.calls].count("get_shard_iterator") == 2


def test_an_empty_stream_has_no_records() -> None:
    assert sample(Shards(0, 0), 100) == []


def test_the_newest_records_are_waited_for_on_open_shards_for_a_limited_time() -> None:
    kinesis = Shards(2, 3, closed=1)
    assert sorted(sample(kinesis, 100, position="newest")) == [b"1:0", b"1:1", b"1:2"]
    iterators = [request for name, request in kinesis.calls if name == "get_shard_iterator"]
    assert [each["ShardIteratorType"] for each in iterators] == ["LATEST"]
    assert len(kinesis.calls) < 30


@pytest.mark.parametrize(("source", "field"), [(ARN, "StreamARN"), ("s", "StreamName")])
def test_a_stream_is_named_by_arn_or_name(source: str, field: str) -> None:
    kinesis = Shards(1, 1)
    sample(kinesis, 2, source)
    assert kinesis.calls[0] == ("list_shards", {field: source})
    assert all("NextToken" in request or field in request for name, request in kinesis.calls if name != "get_records")  # fmt: skip


def test_a_record_has_its_partition_key_and_arrival() -> None:
    [record] = sample_records(Shards(1, 0), ARN, 1, "oldest", 5, lambda _: None)
    assert (record.partition_key, record.arrival) == ("k", NOW.timestamp())
