"""Splits, merges and iterators as moto has them.

Records are put before the first split only: moto puts later ones into the closed parent.
"""

from collections.abc import Mapping
from typing import Any

import boto3
import pytest

from localaws import LocalAws

moto = pytest.importorskip("moto")
HALF = 1 << 127


def run(kinesis: Any) -> list[Any]:
    """Put, split and merge; what shards and iterators look like afterwards, without numbers and times."""
    kinesis.create_stream(StreamName="s", ShardCount=2)
    for text in ("a", "b", "c", "d"):
        put(kinesis, text, HALF if text == "c" else 0)
    first = kinesis.list_shards(StreamName="s")["Shards"][0]
    kinesis.split_shard(
        StreamName="s", ShardToSplit=first["ShardId"], NewStartingHashKey=str(HALF // 2)
    )
    left, right = (
        each["ShardId"]
        for each in kinesis.list_shards(StreamName="s")["Shards"]
        if each.get("ParentShardId") == first["ShardId"]
    )
    kinesis.merge_shards(StreamName="s", ShardToMerge=left, AdjacentShardToMerge=right)
    shards = kinesis.list_shards(StreamName="s")["Shards"]
    return [(shape(shard), *(read(kinesis, shard, kind) for kind in KINDS)) for shard in shards]


def put(kinesis: Any, text: str, hash_key: int) -> None:
    kinesis.put_record(StreamName="s", Data=text, PartitionKey=text, ExplicitHashKey=str(hash_key))


def shape(shard: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": shard["ShardId"],
        "range": shard["HashKeyRange"],
        "parents": {shard.get("ParentShardId"), shard.get("AdjacentParentShardId")} - {None},
        "closed": "EndingSequenceNumber" in shard["SequenceNumberRange"],
    }


KINDS = ("TRIM_HORIZON", "LATEST", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER")


def read(kinesis: Any, shard: Mapping[str, Any], kind: str) -> list[bytes]:
    request = {"StreamName": "s", "ShardId": shard["ShardId"], "ShardIteratorType": kind}
    if kind.endswith("NUMBER"):
        horizon = kinesis.get_shard_iterator(**request | {"ShardIteratorType": "TRIM_HORIZON"})
        records = kinesis.get_records(ShardIterator=horizon["ShardIterator"])["Records"]
        if not records:
            return []
        request["StartingSequenceNumber"] = records[0]["SequenceNumber"]
    iterator = kinesis.get_shard_iterator(**request)["ShardIterator"]
    return [each["Data"] for each in kinesis.get_records(ShardIterator=iterator)["Records"]]


@pytest.mark.slow
def test_moto_sees_the_same_shards_and_records(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with moto.mock_aws():
        theirs = run(boto3.client("kinesis", region_name="us-east-1"))
    assert run(aws.client("kinesis")) == theirs
