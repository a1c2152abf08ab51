"""How far a stream was read, on moto's Kinesis."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from cutwatch.streams.kinesis import is_read_to_the_end

STREAM = "orders"


@pytest.fixture
def kinesis() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("kinesis")
        client.create_stream(StreamName=STREAM, ShardCount=2)
        yield client


def test_a_stream_is_read_to_the_end_when_no_shard_has_a_later_record(kinesis: Any) -> None:
    arn = kinesis.describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"][
        "StreamARN"
    ]
    assert is_read_to_the_end(kinesis, arn, {})

    puts = [kinesis.put_record(StreamName=STREAM, Data=b"{}", PartitionKey=key) for key in "abcd"]
    last = {put["ShardId"]: int(put["SequenceNumber"]) for put in puts}
    assert not is_read_to_the_end(kinesis, arn, {})
    assert not is_read_to_the_end(kinesis, arn, dict.fromkeys(last, 0) | dict(list(last.items())[:1]))  # fmt: skip
    assert is_read_to_the_end(kinesis, arn, last)
