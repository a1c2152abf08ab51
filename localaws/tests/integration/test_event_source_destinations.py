"""On-failure destinations of mappings, and the metrics that a mapping's MetricsConfig asks for."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from localaws import LocalAws
from support.streams import READING, Scene, allowed

COUNTED = {"Metrics": ["EventCount"]}
FIRST = "shardId-000000000000"
BUCKET = "lost-records"


@pytest.fixture
def scene(aws: LocalAws) -> Iterator[Scene]:
    scene = Scene(aws)
    yield scene
    for mapping in scene.functions.list_event_source_mappings()["EventSourceMappings"]:
        scene.functions.delete_event_source_mapping(UUID=mapping["UUID"])


def lose(scene: Scene, destination: str | None, **settings: Any) -> str:
    """Let a mapping give up a batch of two records; return its UUID."""
    config = (
        {"DestinationConfig": {"OnFailure": {"Destination": destination}}} if destination else {}
    )
    uuid = scene.map(MaximumRetryAttempts=1, **config, **settings)
    scene.put("a", "poison")
    scene.aws.event_sources.settle()
    return uuid


def counts(scene: Scene, uuid: str) -> dict[str, float]:
    """Return the sums of the mapping's metrics."""
    cloudwatch = scene.aws.client("cloudwatch")
    dimensions = [{"Name": "EventSourceMappingUUID", "Value": uuid}]
    listed = cloudwatch.list_metrics(Namespace="AWS/Lambda", Dimensions=dimensions)["Metrics"]
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}
        for number, metric in enumerate(listed)
    ]
    now = scene.aws.clock.now()
    span = {"StartTime": now - timedelta(hours=1), "EndTime": now + timedelta(minutes=2)}
    found = (
        cloudwatch.get_metric_data(MetricDataQueries=queries, **span)["MetricDataResults"]
        if queries
        else []
    )
    return {
        metric["MetricName"]: sum(each["Values"])
        for metric, each in zip(listed, found, strict=True)
    }


def bucket(scene: Scene) -> str:
    """Return the ARN of a bucket that the function's role may write to."""
    scene.aws.client("s3").create_bucket(Bucket=BUCKET)
    arn = f"arn:aws:s3:::{BUCKET}"
    scene.allow(
        allowed(READING, scene.arn),
        allowed(["s3:PutObject"], f"{arn}/*"),
        allowed(["s3:ListBucket"], arn),
    )
    return arn


def test_a_bucket_gets_the_message_with_the_event(scene: Scene) -> None:
    uuid = lose(scene, bucket(scene))
    s3 = scene.aws.client("s3")
    (found,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    day = f"{scene.aws.clock.now():%Y/%m/%d}"
    assert found["Key"].startswith(f"aws/lambda/{uuid}/{FIRST}/{day}/{day.replace('/', '-')}T")
    body = json.loads(s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read())
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert body["KinesisBatchInfo"]["batchSize"] == 2
    records = json.loads(body["payload"])["Records"]
    assert [each["kinesis"]["sequenceNumber"] for each in records] == [
        body["KinesisBatchInfo"]["startSequenceNumber"],
        body["KinesisBatchInfo"]["endSequenceNumber"],
    ]


def test_a_topic_gets_the_message_without_the_event(scene: Scene) -> None:
    arn = scene.aws.client("sns").create_topic(Name="lost")["TopicArn"]
    scene.allow(allowed(READING, scene.arn), allowed(["sns:Publish"], arn))
    uuid = lose(scene, arn, MetricsConfig=COUNTED)
    (mail,) = [each for each in scene.aws.mails.all() if each.topic == "lost"]
    message = json.loads(mail.text)
    assert message["KinesisBatchInfo"]["batchSize"] == 2
    assert "payload" not in message
    assert counts(scene, uuid)["OnFailureDestinationDeliveredEventCount"] == 2


def test_a_mapping_that_asks_for_them_counts_its_events(scene: Scene) -> None:
    _, arn = scene.queue()
    pattern = json.dumps({"partitionKey": ["key"]})
    filters = {"Filters": [{"Pattern": pattern}]}
    uuid = lose(scene, arn, MetricsConfig=COUNTED, FilterCriteria=filters)
    scene.put("c", key="other")
    scene.aws.event_sources.settle()
    assert scene.functions.get_event_source_mapping(UUID=uuid)["MetricsConfig"] == COUNTED
    assert counts(scene, uuid) == {
        "PolledEventCount": 3,
        "FilteredOutEventCount": 1,
        "InvokedEventCount": 4,
        "FailedInvokeEventCount": 4,
        "OnFailureDestinationDeliveredEventCount": 2,
    }


def test_a_mapping_that_does_not_ask_counts_nothing(scene: Scene) -> None:
    _, arn = scene.queue()
    assert counts(scene, lose(scene, arn)) == {}


def test_events_that_their_destination_does_not_take_are_dropped(scene: Scene) -> None:
    url, arn = scene.queue()
    uuid = scene.map(
        MaximumRetryAttempts=0,
        MetricsConfig=COUNTED,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    scene.aws.client("sqs").delete_queue(QueueUrl=url)
    scene.put("a", "poison")
    scene.aws.event_sources.settle()
    found = counts(scene, uuid)
    assert found["DroppedEventCount"] == 2
    assert "OnFailureDestinationDeliveredEventCount" not in found


def test_events_without_a_destination_are_dropped(scene: Scene) -> None:
    assert counts(scene, lose(scene, None, MetricsConfig=COUNTED))["DroppedEventCount"] == 2


def test_events_that_the_stream_does_not_keep_are_not_counted_as_dropped(scene: Scene) -> None:
    scene.put("old")
    scene.aws.clock.advance(24 * 3_600 + 1)
    uuid = scene.map(MetricsConfig=COUNTED)
    scene.put("new")
    scene.aws.event_sources.settle()
    assert "DroppedEventCount" not in counts(scene, uuid)
