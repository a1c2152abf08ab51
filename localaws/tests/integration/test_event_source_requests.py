"""Event source mappings that Lambda refuses, and what it says of those that it takes."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from support.streams import READING, Scene, allowed


@pytest.fixture(scope="module")
def scene(aws: LocalAws) -> Scene:
    return Scene(aws)


@pytest.fixture(autouse=True)
def _as_new(aws: LocalAws, scene: Scene) -> Iterator[None]:
    """Let no mapping and no permission of one test be seen in another."""
    scene.allow(allowed(READING, scene.arn))
    yield
    functions = aws.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"BatchSize": 0}, "Member must have value greater than or equal to 1"),
        ({"BatchSize": 10_001}, "Member must have value less than or equal to 10000"),
        ({"MaximumBatchingWindowInSeconds": 301}, "less than or equal to 300"),
        ({"ParallelizationFactor": 11}, "less than or equal to 10"),
        ({"MaximumRetryAttempts": -2}, "greater than or equal to -1"),
        ({"MaximumRecordAgeInSeconds": 59}, "must be -1 or between 60 and 604800"),
        ({"TumblingWindowInSeconds": 901}, "less than or equal to 900"),
        ({"StartingPosition": "MIDDLE"}, "enum value set"),
        ({"StartingPosition": "AT_TIMESTAMP"}, "StartingPositionTimestamp is required"),
        ({"FilterCriteria": {"Filters": [{"Pattern": "x"}]}}, "Invalid filter pattern"),
        ({"ScalingConfig": {"MaximumConcurrency": 2}}, "does not implement ScalingConfig"),
        (
            {"MetricsConfig": {"Metrics": ["ErrorCount"]}},
            "does not implement the metrics ErrorCount",
        ),
        ({"TumblingWindowInSeconds": 60, "ParallelizationFactor": 2}, "above 1"),
        ({"DestinationConfig": {"OnFailure": {"Destination": "kafka://b"}}}, "kafka://b"),
        (
            {"DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::b"}}},
            "PutObject on S3",
        ),
        ({"FunctionName": "nobody"}, "Function not found"),
        ({"EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/none"}, "Cannot access"),
    ],
)
def test_a_mapping_that_lambda_refuses_is_refused_and_not_made(
    aws: LocalAws, scene: Scene, settings: dict[str, Any], message: str
) -> None:
    unchecked = aws.client("lambda", parameter_validation=False)
    request = {
        "EventSourceArn": scene.arn,
        "FunctionName": scene.function,
        "StartingPosition": "TRIM_HORIZON",
        **settings,
    }
    with pytest.raises(ClientError, match=message):
        unchecked.create_event_source_mapping(**request)
    assert unchecked.list_event_source_mappings()["EventSourceMappings"] == []


def test_a_stream_that_does_not_exist_is_not_found(aws: LocalAws, scene: Scene) -> None:
    gone = "arn:aws:kinesis:us-east-1:123456789012:stream/gone"
    scene.allow(allowed(READING, "*"))
    with pytest.raises(ClientError, match=f"Stream not found: {gone}"):
        scene.map(EventSourceArn=gone)


def test_a_role_that_may_not_read_or_send_is_refused(aws: LocalAws, scene: Scene) -> None:
    _, arn = scene.queue()
    destination = {"OnFailure": {"Destination": arn}}
    scene.allow(allowed(READING, scene.arn))
    with pytest.raises(ClientError, match="permissions to call SendMessage on SQS"):
        scene.map(DestinationConfig=destination)
    scene.allow(allowed(["sqs:SendMessage"], arn))
    with pytest.raises(ClientError, match="Please ensure the role can perform the GetRecords"):
        scene.map(DestinationConfig=destination)


def test_a_second_mapping_of_stream_and_function_is_refused(scene: Scene) -> None:
    uuid = scene.map()
    with pytest.raises(ClientError, match=f"with UUID {uuid}") as refused:
        scene.map()
    assert refused.value.response["Error"]["Code"] == "ResourceConflictException"


def test_a_mapping_describes_all_its_settings(scene: Scene) -> None:
    uuid = scene.map(ParallelizationFactor=2)
    described = scene.functions.get_event_source_mapping(UUID=uuid)
    assert described["ParallelizationFactor"] == 2
    assert described["BatchSize"] == 100
    assert described["MaximumRetryAttempts"] == -1
    assert described["MaximumRecordAgeInSeconds"] == -1
    assert described["BisectBatchOnFunctionError"] is False
    assert described["State"] == "Enabled"
    deleted = scene.functions.delete_event_source_mapping(UUID=uuid)
    assert deleted["State"] == "Deleting"
    with pytest.raises(ClientError):
        scene.functions.get_event_source_mapping(UUID=uuid)


@pytest.mark.parametrize(
    "setting", [{"BisectBatchOnFunctionError": True}, {"MaximumBatchingWindowInSeconds": 5}]
)
def test_what_would_have_no_effect_on_a_queues_mapping_is_refused(
    scene: Scene, setting: dict[str, Any]
) -> None:
    _, arn = scene.queue()
    (name,) = setting
    with pytest.raises(ClientError, match=f"does not implement {name}"):
        scene.functions.create_event_source_mapping(
            EventSourceArn=arn, FunctionName=scene.function, **setting
        )


def test_a_change_that_lambda_refuses_changes_nothing(aws: LocalAws, scene: Scene) -> None:
    uuid = scene.map(BatchSize=7)
    unchecked = aws.client("lambda", parameter_validation=False)
    with pytest.raises(ClientError, match="less than or equal to 10000"):
        unchecked.update_event_source_mapping(UUID=uuid, BatchSize=20_000)
    with pytest.raises(ClientError, match="above 1"):
        unchecked.update_event_source_mapping(
            UUID=uuid, TumblingWindowInSeconds=60, ParallelizationFactor=2
        )
    assert unchecked.get_event_source_mapping(UUID=uuid)["BatchSize"] == 7
