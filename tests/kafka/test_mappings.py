"""Kafka mappings of the local AWS on Apache Kafka: events, failures, dead letters, groups, a broker that is killed."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from localaws.kafka.broker import KafkaBroker
from tests.support.kafka_topics import TopicScene


@pytest.fixture
def scene(aws: LocalAws, broker: KafkaBroker) -> Iterator[TopicScene]:
    yield TopicScene(aws, broker)
    aws.event_sources.stop()


def test_records_arrive_in_lambdas_shape(
    aws: LocalAws, scene: TopicScene, broker: KafkaBroker
) -> None:
    scene.map()
    scene.put("a", key="k", headers={"id": b"\x7f\x80"}, timestamp=1_700_000_000_000)
    aws.event_sources.deliver()
    [event] = scene.events()
    assert event == {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": broker.address,
        "records": {
            f"{scene.topic}-0": [
                {
                    "topic": scene.topic,
                    "partition": 0,
                    "offset": 0,
                    "timestamp": 1_700_000_000_000,
                    "timestampType": "CREATE_TIME",
                    "key": "aw==",
                    "value": "YQ==",
                    "headers": [{"id": [127, -128]}],
                }
            ]
        },
    }


def test_latest_begins_at_the_end_of_the_creation(aws: LocalAws, scene: TopicScene) -> None:
    scene.put("before")
    scene.map(StartingPosition="LATEST")
    scene.put("after")
    aws.event_sources.deliver()
    assert scene.batches() == [["after"]]


def test_a_time_begins_at_its_first_record(aws: LocalAws, scene: TopicScene) -> None:
    for number, text in enumerate(("before", "at", "after")):
        scene.put(text, timestamp=1_700_000_000_000 + 1_000 * number)
    scene.map(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1_700_000_001)
    aws.event_sources.deliver()
    assert scene.batches() == [["at", "after"]]


def test_a_time_after_the_newest_record_begins_at_the_end(aws: LocalAws, scene: TopicScene) -> None:
    scene.put("before", timestamp=1_700_000_000_000)
    scene.map(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1_700_000_001)
    scene.put("after", timestamp=1_700_000_002_000)
    aws.event_sources.deliver()
    assert scene.batches() == [["after"]]


def test_offsets_from_the_first_record_that_waits_are_the_published_lag(
    aws: LocalAws, scene: TopicScene
) -> None:
    scene.map(MaximumRetryAttempts=2)
    scene.put("a", "report", "b")
    aws.event_sources.deliver()
    assert scene.lags() == [2]  # "report" and "b", which is done but comes after it
    aws.event_sources.settle()
    aws.clock.advance(60)
    aws.event_sources.deliver()
    assert scene.lags()[0] == 0


def test_a_function_reads_several_topics_by_a_mapping_and_a_group_for_each(
    aws: LocalAws, scene: TopicScene, broker: KafkaBroker
) -> None:
    other = TopicScene(aws, broker)
    scene.map(**group(scene.topic))
    with pytest.raises(ClientError, match="ConsumerGroupId must be unique among all Kafka event"):
        scene.map(Topics=[other.topic], **group(scene.topic))
    scene.map(Topics=[other.topic], **group(f"{scene.topic}:{other.topic}"))
    scene.put("a", "b")
    other.put("c", "report", "d")
    aws.event_sources.deliver()
    # "report" comes again; the partitions 0 of both topics begin at offset 0.
    assert {lane for event in scene.events() for lane in event["records"]} == {f"{scene.topic}-0", f"{other.topic}-0"}  # fmt: skip
    assert scene.texts() == {"a": 1, "b": 1, "c": 1, "report": 1, "d": 1}
    assert scene.committed(scene.topic) == 2
    assert scene.lags() == [2]  # of the topic with the most records that wait


def group(name: str) -> dict[str, Any]:
    return {"SelfManagedKafkaEventSourceConfig": {"ConsumerGroupId": name}}


def test_a_mapping_goes_on_where_its_group_has_committed(aws: LocalAws, scene: TopicScene) -> None:
    uuid = scene.map(**group(scene.topic))
    scene.put("a", "b")
    aws.event_sources.deliver()
    assert scene.committed(scene.topic) == 2
    aws.client("lambda").delete_event_source_mapping(UUID=uuid)
    scene.put("c")
    scene.map(**group(scene.topic))
    aws.event_sources.deliver()
    assert scene.texts() == {"a": 1, "b": 1, "c": 1}


def test_only_reported_records_come_again_until_they_are_given_up(
    aws: LocalAws, scene: TopicScene
) -> None:
    url, arn = scene.queue()
    scene.map(MaximumRetryAttempts=2, DestinationConfig={"OnFailure": {"Destination": arn}})
    scene.put("a", "report", "b")
    aws.event_sources.settle()
    assert scene.texts() == {"a": 1, "b": 1, "report": 3}
    [message] = scene.messages(url)
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["requestContext"]["approximateInvokeCount"] == 3
    [lost] = message["KafkaBatchInfo"]["recordsInfo"].values()
    assert (lost["firstRecordOffset"], lost["lastRecordOffset"]) == ("1", "1")


def test_a_poison_costs_one_record(aws: LocalAws, scene: TopicScene) -> None:
    url, arn = scene.queue()
    scene.map(
        MaximumRetryAttempts=0,
        BisectBatchOnFunctionError=True,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    scene.put("a", "b", "poison", "c")
    aws.event_sources.settle()
    [message] = scene.messages(url)
    assert message["KafkaBatchInfo"]["batchSize"] == 1
    assert [batch for batch in scene.batches() if "poison" not in batch] == [["a", "b"], ["c"]]


def test_a_partition_that_is_added_is_read_from_its_beginning(
    aws: LocalAws, scene: TopicScene
) -> None:
    scene.map(StartingPosition="LATEST")
    scene.put("a")
    aws.event_sources.deliver()
    scene.add_partition(2)
    scene.put("b", partition=1)
    aws.event_sources.deliver()
    assert scene.texts() == {"a": 1, "b": 1}


@pytest.mark.slow
def test_a_broker_that_was_killed_and_is_back_loses_and_doubles_nothing(
    aws: LocalAws, scene: TopicScene, broker: KafkaBroker
) -> None:
    uuid = scene.map()
    scene.put("a", "b")
    aws.event_sources.deliver()
    scene.put("c")
    broker.kill()
    try:
        aws.event_sources.deliver()
        assert scene.result(uuid).startswith("PROBLEM: ")
    finally:
        broker.start()
    scene.put("d")
    aws.event_sources.deliver()
    assert scene.texts() == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert scene.result(uuid) == "OK"


def test_more_partitions_have_more_pollers_and_share_the_records(
    aws: LocalAws, broker: KafkaBroker
) -> None:
    scene = TopicScene(aws, broker, partitions=3)
    uuid = scene.map()
    for number in range(3):
        scene.put(*(f"{number}-{each}" for each in range(50)), partition=number)
    aws.event_sources.deliver()
    assert set(scene.texts().values()) == {1}
    assert scene.texts().total() == 150
    aws.event_sources.kafka[uuid].rejoin()
    scene.put("again")
    aws.event_sources.deliver()
    assert scene.texts().total() == 151
    aws.event_sources.stop()


@pytest.mark.parametrize(
    ("settings", "mistake"),
    [
        (
            {"ProvisionedPollerConfig": {"MinimumPollers": 3, "MaximumPollers": 2}},
            "MinimumPollers must not be greater",
        ),
        ({"ProvisionedPollerConfig": {}}, "FunctionResponseTypes of a Kafka mapping needs"),
        ({"ParallelizationFactor": 2}, "does not implement ParallelizationFactor"),
        (
            {"FilterCriteria": {"Filters": [{"Pattern": '{"value": {"status": [500]}}'}]}},
            "does not implement FilterCriteria of event source mappings of kafka",
        ),
        (
            {"SourceAccessConfigurations": [{"Type": "BASIC_AUTH", "URI": "arn:aws:secretsmanager:us-east-1:000000000000:secret:none"}]},
            "permissions to call secretsmanager:GetSecretValue",
        ),
    ],
)  # fmt: skip
def test_what_is_not_valid_is_refused(scene: TopicScene, settings: Any, mistake: str) -> None:
    with pytest.raises(ClientError, match=mistake):
        scene.map(**settings)


def test_a_secret_that_is_wrong_is_refused_without_its_content(
    aws: LocalAws, scene: TopicScene
) -> None:
    secret = aws.client("secretsmanager").create_secret(
        Name=scene.topic, SecretString='{"user": "hidden"}'
    )["ARN"]
    scene.allow(["secretsmanager:GetSecretValue"], secret)
    with pytest.raises(ClientError, match="with username and password") as refusal:
        scene.map(SourceAccessConfigurations=[{"Type": "BASIC_AUTH", "URI": secret}])
    assert "hidden" not in str(refusal.value)


def test_msk_with_iam_asks_for_every_permission(
    aws: LocalAws, scene: TopicScene, broker: KafkaBroker
) -> None:
    aws.msk_brokers = broker.address
    cluster = aws.client("kafka").create_cluster(
        ClusterName=scene.topic,
        KafkaVersion="4.1.1",
        NumberOfBrokerNodes=2,
        BrokerNodeGroupInfo={"ClientSubnets": ["subnet-1"], "InstanceType": "kafka.m7g.large"},
    )["ClusterArn"]
    with pytest.raises(ClientError, match="kafka:DescribeClusterV2"):
        scene.map(EventSourceArn=cluster)
    scene.allow(["kafka:*", "ec2:*"], "*")
    with pytest.raises(ClientError, match="kafka-cluster:Connect"):
        scene.map(EventSourceArn=cluster)
    scene.allow(["kafka:*", "ec2:*", "kafka-cluster:*"], "*")
    scene.map(EventSourceArn=cluster)
    scene.put("a")
    aws.event_sources.deliver()
    [event] = scene.events()
    assert (event["eventSource"], event["eventSourceArn"]) == ("aws:kafka", cluster)
