"""Kinesis through boto3."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.streams import Scene, allowed

HALF = 1 << 127
FIRST, LEFT, RIGHT = (f"shardId-{index:012d}" for index in range(3))


@pytest.fixture
def scene(aws: LocalAws) -> Scene:
    return Scene(aws, source=None)


def texts(answer: Any) -> list[str]:
    return [record["Data"].decode() for record in answer["Records"]]


def refusal(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def split(scene: Scene) -> None:
    scene.kinesis.split_shard(
        StreamName=scene.stream, ShardToSplit=FIRST, NewStartingHashKey=str(HALF)
    )


def test_a_record_comes_back_as_it_was_put(scene: Scene) -> None:
    (number,) = scene.put("text", key="k")
    (record,) = scene.read(FIRST)["Records"]
    assert record["Data"] == b"text"
    assert (record["PartitionKey"], record["SequenceNumber"]) == ("k", number)
    assert len(number) == 56
    age = scene.aws.clock.now() - record["ApproximateArrivalTimestamp"]
    assert timedelta(0) <= age < timedelta(hours=1)


def test_the_records_of_a_split_shard_stay_readable_and_its_end_is_told(scene: Scene) -> None:
    scene.put("a", "b")
    split(scene)
    scene.put("c", hash_key=0)
    scene.put("d", hash_key=HALF)
    answer = scene.read(FIRST)
    assert texts(answer) == ["a", "b"]
    assert "NextShardIterator" not in answer
    assert [child["ShardId"] for child in answer["ChildShards"]] == [LEFT, RIGHT]
    assert texts(scene.read(LEFT)) == ["c"]
    assert texts(scene.read(RIGHT)) == ["d"]
    parent, left, _ = scene.shards()
    assert "EndingSequenceNumber" in parent["SequenceNumberRange"]
    assert left["ParentShardId"] == FIRST


def test_merged_shards_have_one_child_with_both_as_parents(scene: Scene) -> None:
    split(scene)
    scene.kinesis.merge_shards(
        StreamName=scene.stream, ShardToMerge=LEFT, AdjacentShardToMerge=RIGHT
    )
    child = scene.shards()[-1]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (LEFT, RIGHT)


def test_the_five_kinds_of_iterators(scene: Scene) -> None:
    scene.put("a")
    first = scene.read(FIRST)["Records"][0]["ApproximateArrivalTimestamp"]
    scene.aws.clock.advance(10)
    numbers = scene.put("b", "c")
    expected: dict[str, tuple[dict[str, Any], list[str]]] = {
        "TRIM_HORIZON": ({}, ["a", "b", "c"]),
        "LATEST": ({}, []),
        "AT_SEQUENCE_NUMBER": ({"StartingSequenceNumber": numbers[0]}, ["b", "c"]),
        "AFTER_SEQUENCE_NUMBER": ({"StartingSequenceNumber": numbers[0]}, ["c"]),
        "AT_TIMESTAMP": ({"Timestamp": first + timedelta(seconds=5)}, ["b", "c"]),
    }
    for kind, (parameters, found) in expected.items():
        scene.aws.clock.advance(1)
        assert texts(scene.read(FIRST, ShardIteratorType=kind, **parameters)) == found, kind


def test_an_iterator_goes_on_where_the_page_ended(scene: Scene) -> None:
    scene.put("a", "b", "c")
    iterator = scene.kinesis.get_shard_iterator(
        StreamName=scene.stream, ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    page = scene.kinesis.get_records(ShardIterator=iterator, Limit=2)
    assert texts(page) == ["a", "b"]
    assert page["MillisBehindLatest"] >= 0
    rest = scene.kinesis.get_records(ShardIterator=page["NextShardIterator"])
    assert (texts(rest), rest["MillisBehindLatest"]) == (["c"], 0)


def test_an_iterator_expires_after_five_minutes(scene: Scene) -> None:
    iterator = scene.kinesis.get_shard_iterator(
        StreamName=scene.stream, ShardId=FIRST, ShardIteratorType="LATEST"
    )["ShardIterator"]
    scene.aws.clock.advance(301)
    with pytest.raises(ClientError) as refused:
        scene.kinesis.get_records(ShardIterator=iterator)
    assert refusal(refused) == "ExpiredIteratorException"


def test_a_number_of_another_shard_is_refused(scene: Scene) -> None:
    (number,) = scene.put("a")
    split(scene)
    with pytest.raises(ClientError, match="did not come from this stream") as refused:
        scene.read(LEFT, ShardIteratorType="AT_SEQUENCE_NUMBER", StartingSequenceNumber=number)
    assert refusal(refused) == "InvalidArgumentException"


def test_records_last_as_long_as_the_retention(scene: Scene) -> None:
    scene.kinesis.increase_stream_retention_period(StreamName=scene.stream, RetentionPeriodHours=48)
    scene.put("a")
    scene.aws.clock.advance(47 * 3600)
    assert texts(scene.read(FIRST)) == ["a"]
    scene.kinesis.decrease_stream_retention_period(StreamName=scene.stream, RetentionPeriodHours=24)
    assert texts(scene.read(FIRST)) == []


def test_what_a_shard_does_not_take_fails_record_by_record(scene: Scene) -> None:
    split(scene)
    hot = {"Data": b"x", "PartitionKey": "k", "ExplicitHashKey": "0"}
    cold = {**hot, "ExplicitHashKey": str(HALF)}
    answers = [
        scene.kinesis.put_records(StreamName=scene.stream, Records=[hot] * 499 + [cold])
        for _ in range(3)
    ]
    failed = [record.get("ErrorCode") for record in answers[2]["Records"]]
    assert answers[2]["FailedRecordCount"] == 499 - 2
    assert failed.count("ProvisionedThroughputExceededException") == 499 - 2
    assert failed[-1] is None
    scene.aws.clock.advance(1)
    again = scene.kinesis.put_records(StreamName=scene.stream, Records=[hot])
    assert again["FailedRecordCount"] == 0


def test_a_shard_is_read_five_times_a_second(aws: LocalAws, scene: Scene) -> None:
    once = aws.client("kinesis", retries={"total_max_attempts": 1})
    iterator = once.get_shard_iterator(
        StreamName=scene.stream, ShardId=FIRST, ShardIteratorType="LATEST"
    )["ShardIterator"]
    refused = None
    for _ in range(50):  # a busy machine may take a second for six
        try:
            once.get_records(ShardIterator=iterator)
        except ClientError as error:
            refused = error.response["Error"]["Code"]
    assert refused == "ProvisionedThroughputExceededException"


def test_a_record_larger_than_the_streams_maximum_is_refused(scene: Scene) -> None:
    large = b"x" * 1024 * 1024
    with pytest.raises(ClientError, match="exceeds the stream's maximum"):
        scene.kinesis.put_record(StreamName=scene.stream, Data=large, PartitionKey="k")
    scene.kinesis.update_max_record_size(StreamARN=scene.arn, MaxRecordSizeInKiB=2048)
    scene.kinesis.put_record(StreamName=scene.stream, Data=large, PartitionKey="k")


@pytest.mark.parametrize("target", [5, 2, 3])
def test_a_stream_doubles_or_halves_at_most(aws: LocalAws, target: int) -> None:
    kinesis, name = aws.client("kinesis", retries={"total_max_attempts": 1}), f"resized-{target}"
    kinesis.create_stream(StreamName=name, ShardCount=2)
    request = {"StreamName": name, "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"}
    if target == 3:
        kinesis.update_shard_count(**request)
        summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert summary["OpenShardCount"] == 3
    else:
        with pytest.raises(ClientError):
            kinesis.update_shard_count(**request)


def test_a_stream_on_demand_starts_with_four_shards(aws: LocalAws) -> None:
    kinesis = aws.client("kinesis")
    kinesis.create_stream(StreamName="demand", StreamModeDetails={"StreamMode": "ON_DEMAND"})
    summary = kinesis.describe_stream_summary(StreamName="demand")["StreamDescriptionSummary"]
    assert summary["OpenShardCount"] == 4
    assert summary["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}


def test_shards_are_listed_in_pages_and_by_time(scene: Scene) -> None:
    split(scene)
    page = scene.kinesis.list_shards(StreamName=scene.stream, MaxResults=2)
    rest = scene.kinesis.list_shards(NextToken=page["NextToken"])
    assert [shard["ShardId"] for shard in page["Shards"] + rest["Shards"]] == [FIRST, LEFT, RIGHT]
    latest = scene.kinesis.list_shards(StreamName=scene.stream, ShardFilter={"Type": "AT_LATEST"})
    assert [shard["ShardId"] for shard in latest["Shards"]] == [LEFT, RIGHT]


@pytest.mark.parametrize("operation", ["describe_stream", "describe_stream_summary", "list_shards"])
def test_a_stream_that_is_not_there_is_not_found(aws: LocalAws, operation: str) -> None:
    with pytest.raises(ClientError, match="Stream nothing under account") as refused:
        getattr(aws.client("kinesis"), operation)(StreamName="nothing")
    assert refusal(refused) == "ResourceNotFoundException"


def test_a_deleted_stream_leaves_its_name_and_no_records(scene: Scene) -> None:
    scene.put("a")
    iterator = scene.kinesis.get_shard_iterator(
        StreamName=scene.stream, ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    scene.kinesis.delete_stream(StreamName=scene.stream)
    scene.kinesis.create_stream(StreamName=scene.stream, ShardCount=1)
    with pytest.raises(ClientError, match="Invalid ShardIterator"):
        scene.kinesis.get_records(ShardIterator=iterator)
    assert texts(scene.read(FIRST)) == []


def test_tags_are_added_and_removed(scene: Scene) -> None:
    scene.kinesis.add_tags_to_stream(StreamName=scene.stream, Tags={"team": "a", "use": "test"})
    scene.kinesis.remove_tags_from_stream(StreamName=scene.stream, TagKeys=["use"])
    tags = scene.kinesis.list_tags_for_stream(StreamName=scene.stream)["Tags"]
    assert tags == [{"Key": "team", "Value": "a"}]


def test_an_operation_that_is_not_implemented_is_refused_by_name(scene: Scene) -> None:
    with pytest.raises(ClientError, match="does not implement RegisterStreamConsumer"):
        scene.kinesis.register_stream_consumer(StreamARN=scene.arn, ConsumerName="fan-out")


def test_a_role_reads_the_streams_that_it_may_read_by_an_iterator_alone(
    aws: LocalAws, scene: Scene
) -> None:
    other = Scene(aws, source=None)
    mine = aws.client_of(scene.role, "kinesis")
    for target, may_read in ((scene, True), (other, False)):
        iterator = target.kinesis.get_shard_iterator(
            StreamName=target.stream, ShardId=FIRST, ShardIteratorType="LATEST"
        )["ShardIterator"]
        if may_read:
            mine.get_records(ShardIterator=iterator)
        else:
            with pytest.raises(ClientError, match="not authorized to perform: kinesis:GetRecords"):
                mine.get_records(ShardIterator=iterator)


def test_a_role_writes_and_reads_an_encrypted_stream_with_its_key_only(
    aws: LocalAws, scene: Scene
) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    stream = {"StreamName": scene.stream}
    scene.kinesis.start_stream_encryption(**stream, EncryptionType="KMS", KeyId=key)
    iterator = scene.kinesis.get_shard_iterator(
        **stream, ShardId=FIRST, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    mine = aws.client_of(scene.role, "kinesis")
    may = allowed(["kinesis:PutRecord", "kinesis:GetRecords"], scene.arn)
    scene.allow(may)
    with pytest.raises(ClientError, match="kms:GenerateDataKey") as refused:
        mine.put_record(**stream, Data="a", PartitionKey="k")
    assert refusal(refused) == "KMSAccessDeniedException"
    scene.allow(may, allowed(["kms:GenerateDataKey"], key))
    assert mine.put_record(**stream, Data="a", PartitionKey="k")["EncryptionType"] == "KMS"
    with pytest.raises(ClientError, match="kms:Decrypt"):
        mine.get_records(ShardIterator=iterator)
    scene.allow(may, allowed(["kms:Decrypt"], key))
    assert texts(mine.get_records(ShardIterator=iterator)) == ["a"]
