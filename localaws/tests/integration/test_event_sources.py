"""Records of a stream reach a function as its event source mapping says."""

import json
import time
from datetime import timedelta
from typing import Any

import pytest

from localaws import Fault, LocalAws
from support.streams import READING, Scene, allowed

HALF = 1 << 127
ECHO = """
    import json
    def handler(event, context):
        print("GOT " + json.dumps(event))
"""
FIRST = "shardId-000000000000"


@pytest.fixture
def scene(aws: LocalAws) -> Scene:
    return Scene(aws)


@pytest.fixture(autouse=True)
def _unmap(aws: LocalAws) -> Any:
    """Let no mapping of one test deliver in another."""
    yield
    functions = aws.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])


def split(scene: Scene) -> None:
    scene.kinesis.split_shard(
        StreamName=scene.stream, ShardToSplit=FIRST, NewStartingHashKey=str(HALF)
    )


def test_records_are_delivered_in_order_in_batches(aws: LocalAws, scene: Scene) -> None:
    scene.map(BatchSize=2)
    scene.put("a", "b", "c")
    aws.event_sources.deliver()
    assert scene.batches() == [["a", "b"], ["c"]]


def test_the_event_is_what_lambda_sends(aws: LocalAws) -> None:
    scene = Scene(aws, source=ECHO)
    scene.map()
    (number,) = scene.put("text", key="k")
    aws.event_sources.deliver()
    (event,) = scene.logged()
    (record,) = json.loads(event)["Records"]
    arrived = record["kinesis"].pop("approximateArrivalTimestamp")
    assert abs(arrived - aws.clock.now().timestamp()) < 3600
    assert record == {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "k",
            "sequenceNumber": number,
            "data": "dGV4dA==",
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{FIRST}:{number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::123456789012:role/{scene.role}",
        "awsRegion": "us-east-1",
        "eventSourceARN": scene.arn,
    }


def test_latest_begins_when_the_mapping_is_created_and_misses_nothing_later(
    aws: LocalAws, scene: Scene
) -> None:
    scene.put("before")
    scene.map(StartingPosition="LATEST")
    scene.put("after")
    split(scene)
    scene.put("child", hash_key=0)
    aws.event_sources.deliver()
    assert scene.batches() == [["after"], ["child"]]


def test_a_mapping_begins_at_a_time(aws: LocalAws, scene: Scene) -> None:
    scene.put("before")
    aws.clock.advance(10)
    moment = aws.clock.now()
    aws.clock.advance(10)
    scene.put("after")
    scene.map(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=moment)
    aws.event_sources.deliver()
    assert scene.batches() == [["after"]]


def test_a_batch_waits_for_its_window_on_the_clock(aws: LocalAws, scene: Scene) -> None:
    scene.map(MaximumBatchingWindowInSeconds=300)
    scene.put("a")
    aws.event_sources.deliver()
    assert scene.batches() == []
    scene.put("b")
    before, real = aws.clock.now(), time.monotonic()
    aws.event_sources.settle()
    assert scene.batches() == [["a", "b"]]
    assert timedelta(seconds=295) < aws.clock.now() - before < timedelta(seconds=590)
    assert time.monotonic() - real < 290


def test_a_shards_children_follow_it(aws: LocalAws, scene: Scene) -> None:
    scene.map()
    scene.put("a")
    split(scene)
    scene.put("right", hash_key=HALF)
    scene.put("left", hash_key=0)
    aws.event_sources.deliver()
    assert scene.batches() == [["a"], ["left"], ["right"]]


def test_a_parent_that_fails_holds_its_children_back(aws: LocalAws, scene: Scene) -> None:
    scene.map(MaximumRetryAttempts=1)
    scene.put("poison")
    split(scene)
    scene.put("child")
    aws.event_sources.deliver()
    assert scene.batches() == [["poison"]]
    aws.event_sources.settle()
    assert scene.batches() == [["poison"], ["poison"], ["child"]]


def test_a_shard_that_expired_unread_does_not_hold_its_children_back(
    aws: LocalAws, scene: Scene
) -> None:
    uuid = scene.map()
    aws.event_sources.deliver()
    scene.functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    scene.put("lost")
    split(scene)
    aws.clock.advance(25 * 3600)
    scene.put("child")
    scene.functions.update_event_source_mapping(UUID=uuid, Enabled=True)
    aws.event_sources.deliver()
    assert scene.batches() == [["child"]]


def test_a_deleted_stream_is_a_problem_of_its_mapping(aws: LocalAws, scene: Scene) -> None:
    uuid = scene.map()
    scene.kinesis.delete_stream(StreamName=scene.stream)
    aws.event_sources.settle()
    described = scene.functions.get_event_source_mapping(UUID=uuid)
    assert described["LastProcessingResult"].startswith("PROBLEM: Stream")


def test_a_function_that_dies_gets_its_batch_again(aws: LocalAws) -> None:
    source = """
        import boto3
        def handler(event, context):
            boto3.client("sts").get_caller_identity()
            print("GOT " + "on")
    """
    scene = Scene(aws, source=source)
    scene.allow(allowed(READING, scene.arn), allowed(["sts:GetCallerIdentity"], "*"))
    scene.map()
    scene.put("a")
    with aws.faults.during(Fault("sts", "GetCallerIdentity", ends="killed", times=1)):
        aws.event_sources.settle()
    assert len(aws.calls.of("sts", "GetCallerIdentity")) == 2
    assert scene.logged() == ["on"]


def test_what_a_function_puts_into_another_stream_is_delivered_as_well(
    aws: LocalAws, scene: Scene
) -> None:
    scene.map()
    source = f"""
        import boto3
        def handler(event, context):
            key = event["Records"][0]["kinesis"]["partitionKey"]
            boto3.client("kinesis").put_record(
                StreamName="{scene.stream}", Data=b"passed on", PartitionKey=key
            )
    """
    first = Scene(aws, source=source)
    first.allow(allowed(READING, first.arn), allowed(["kinesis:PutRecord"], scene.arn))
    first.map()
    first.put("a")
    aws.event_sources.deliver()
    assert scene.batches() == [["passed on"]]


def test_a_delivery_that_breaks_off_is_made_again(
    aws: LocalAws, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.map()
    scene.put("a")
    invocations = aws.event_sources._invocations
    with monkeypatch.context() as broken:
        broken.setattr(invocations, "invoke", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            aws.event_sources.deliver()
    aws.event_sources.settle()
    assert scene.batches() == [["a"]]


def test_keys_of_a_shard_are_delivered_side_by_side(aws: LocalAws, scene: Scene) -> None:
    scene.map(ParallelizationFactor=10)
    for key in ("red", "green", "blue"):
        scene.put(f"{key}-1", f"{key}-2", key=key)
    aws.event_sources.deliver()
    assert sorted(scene.batches()) == [
        ["blue-1", "blue-2"],
        ["green-1", "green-2"],
        ["red-1", "red-2"],
    ]


def test_a_reported_failure_is_retried_and_given_up_with_what_follows(
    aws: LocalAws, scene: Scene
) -> None:
    url, arn = scene.queue()
    scene.map(
        MaximumRetryAttempts=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    numbers = scene.put("a", "report", "b")
    aws.event_sources.settle()
    scene.put("c")
    aws.event_sources.settle()
    assert scene.batches() == [["a", "report", "b"], ["report", "b"], ["c"]]
    (message,) = scene.messages(url)
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 2
    assert message["responseContext"]["statusCode"] == 200
    info = message["KinesisBatchInfo"]
    assert (info["startSequenceNumber"], info["endSequenceNumber"]) == (numbers[1], numbers[2])
    assert (info["shardId"], info["batchSize"], info["streamArn"]) == (FIRST, 2, scene.arn)


def test_a_split_batch_loses_the_bad_record_only(aws: LocalAws, scene: Scene) -> None:
    url, arn = scene.queue()
    scene.map(
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    scene.put("a", "b", "poison", "c")
    aws.event_sources.settle()
    assert scene.batches()[-2:] == [["poison"], ["c"]]
    (message,) = scene.messages(url)
    assert message["KinesisBatchInfo"]["batchSize"] == 1


def test_records_too_old_are_given_up_undelivered(aws: LocalAws, scene: Scene) -> None:
    url, arn = scene.queue()
    scene.put("old")
    aws.clock.advance(120)
    scene.put("new")
    scene.map(MaximumRecordAgeInSeconds=60, DestinationConfig={"OnFailure": {"Destination": arn}})
    aws.event_sources.deliver()
    assert scene.batches() == [["new"]]
    (message,) = scene.messages(url)
    assert message["requestContext"]["condition"] == "RecordAgeExceeded"
    assert "responseContext" not in message


def test_without_limits_a_bad_record_blocks_its_shard_until_it_expires(
    aws: LocalAws, scene: Scene
) -> None:
    scene.map()
    scene.put("poison")
    started = aws.clock.now()
    aws.event_sources.settle(limit_seconds=600)
    assert scene.batches() == [["poison"]] * len(scene.batches())
    assert len(scene.batches()) > 10
    assert aws.clock.now() - started < timedelta(seconds=1_200)
    aws.clock.advance(24 * 3600)
    scene.put("b")
    aws.event_sources.deliver()
    assert scene.batches()[-1] == ["b"]


def test_filtered_records_do_not_reach_the_function(aws: LocalAws, scene: Scene) -> None:
    pattern = json.dumps({"data": {"level": ["ERROR"]}})
    scene.map(FilterCriteria={"Filters": [{"Pattern": pattern}]})
    scene.put('{"level": "INFO"}', '{"level": "ERROR"}', "no json")
    aws.event_sources.deliver()
    assert scene.batches() == [['{"level": "ERROR"}']]


def test_a_tumbling_window_hands_its_state_on_and_ends(aws: LocalAws, scene: Scene) -> None:
    now = aws.clock.now()
    aws.clock.move_to(now.replace(second=0, microsecond=0) + timedelta(minutes=2))
    scene.map(TumblingWindowInSeconds=60, BatchSize=1)
    scene.put("a", "b")
    aws.event_sources.settle()
    assert scene.invocations() == [
        [["a"], False, {}],
        [["b"], False, {"count": 1}],
        [[], True, {"count": 2}],
    ]


def test_a_disabled_mapping_goes_on_where_it_was(aws: LocalAws, scene: Scene) -> None:
    uuid = scene.map()
    scene.put("a")
    aws.event_sources.deliver()
    scene.functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    scene.put("b")
    aws.event_sources.settle()
    assert scene.batches() == [["a"]]
    scene.functions.update_event_source_mapping(UUID=uuid, Enabled=True, BatchSize=1)
    scene.put("c")
    aws.event_sources.deliver()
    assert scene.batches() == [["a"], ["b"], ["c"]]


def test_the_mapping_reads_with_the_functions_role(aws: LocalAws, scene: Scene) -> None:
    uuid = scene.map()
    scene.put("a")
    scene.allow(allowed(set(READING) - {"kinesis:GetRecords"}, scene.arn))
    aws.event_sources.deliver()
    described = scene.functions.get_event_source_mapping(UUID=uuid)
    assert "not authorized to perform: kinesis:GetRecords" in described["LastProcessingResult"]
    assert scene.batches() == []
    scene.allow(allowed(READING, scene.arn))
    aws.event_sources.deliver()
    assert scene.batches() == [["a"]]
    (denied, *_) = [call for call in aws.calls.of("kinesis", "GetRecords") if call.error_code]
    assert (denied.role, denied.error_code) == (scene.role, "AccessDeniedException")


def test_a_throttled_read_is_repeated_a_second_later(aws: LocalAws, scene: Scene) -> None:
    scene.map()
    scene.put("a")
    throttled = Fault(
        "kinesis", "GetRecords", error="ProvisionedThroughputExceededException", times=2
    )
    with aws.faults.during(throttled):
        aws.event_sources.deliver()
        assert scene.batches() == []
        aws.event_sources.settle()
    assert scene.batches() == [["a"]]


def test_a_throttled_function_gets_its_batch_later(aws: LocalAws, scene: Scene) -> None:
    scene.map(MaximumRetryAttempts=0)
    limit = {"FunctionName": scene.function}
    scene.functions.put_function_concurrency(**limit, ReservedConcurrentExecutions=0)
    scene.put("a")
    aws.event_sources.deliver()
    assert scene.batches() == []
    scene.functions.delete_function_concurrency(**limit)
    aws.event_sources.settle()
    assert scene.batches() == [["a"]]


def test_two_environments_work_on_the_same_batch_when_asked_to(aws: LocalAws) -> None:
    source = """
        import os, time
        def handler(event, context):
            print("GOT " + str(os.getpid()))
            time.sleep(0.05)
    """
    scene = Scene(aws, source=source)
    scene.map(BatchSize=1)
    scene.put("a", "b")
    aws.event_sources.duplicate(times=1)
    aws.event_sources.deliver()
    processes = scene.logged()
    assert len(processes) == 3
    assert len(set(processes)) == 2


def test_the_last_records_are_delivered_again_with_what_follows(
    aws: LocalAws, scene: Scene
) -> None:
    scene.map()
    scene.put("a", "b", "c")
    aws.event_sources.deliver()
    aws.event_sources.redeliver(2, function=scene.function)
    scene.put("d")
    aws.event_sources.deliver()
    assert [text for batch in scene.batches() for text in batch] == ["a", "b", "c", "b", "c", "d"]


def test_lanes_are_delivered_at_once_when_asked_to(aws: LocalAws) -> None:
    scene = Scene(aws, shards=4)
    scene.map()
    for lane in range(4):
        scene.put(str(lane), hash_key=lane * (1 << 126))
    aws.event_sources.concurrency = 4
    try:
        aws.event_sources.deliver()
    finally:
        aws.event_sources.concurrency = 1
    assert sorted(scene.batches()) == [["0"], ["1"], ["2"], ["3"]]


def test_the_age_of_the_last_record_is_a_metric(aws: LocalAws) -> None:
    scene = Scene(aws, shares_function=False)
    scene.map()
    scene.put("a")
    aws.clock.advance(30)
    aws.event_sources.deliver()
    ages = aws.cloudwatch.stored_series(
        "AWS/Lambda", "IteratorAge", {"FunctionName": scene.function}, 60
    )
    (age,) = ages.values()
    assert 30_000 <= age < 3_600_000


def test_a_topic_hears_of_what_is_given_up(aws: LocalAws, scene: Scene) -> None:
    topic = aws.client("sns").create_topic(Name=scene.stream)["TopicArn"]
    scene.allow(allowed(READING, scene.arn), allowed(["sns:Publish"], topic))
    scene.map(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": topic}})
    scene.put("poison")
    aws.event_sources.settle()
    (published,) = aws.calls.of("sns", "Publish")
    assert published.succeeded
    assert published.role == scene.role


def test_a_message_that_cannot_be_sent_is_counted(aws: LocalAws) -> None:
    scene = Scene(aws, shares_function=False)
    _, arn = scene.queue()
    scene.map(MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": arn}})
    scene.allow(allowed(READING, scene.arn))
    scene.put("poison")
    aws.event_sources.settle()
    failures = aws.cloudwatch.stored_series(
        "AWS/Lambda", "DestinationDeliveryFailures", {"FunctionName": scene.function}, 60
    )
    assert list(failures.values()) == [1.0]
