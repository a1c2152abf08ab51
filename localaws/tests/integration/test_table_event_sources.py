"""Changes of a table reach a function as its event source mapping says."""

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import Fault, LocalAws
from support.functions import create_function
from support.roles import allow, create_role
from support.streams import LAMBDA, allowed

READING = (
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
)
# Reports an item that says so, and fails for poison.
HANDLER = """
    import json

    def handler(event, context):
        found = [[r["eventName"], r["dynamodb"]["Keys"]["id"]["S"]] for r in event["Records"]]
        print("GOT " + json.dumps([event["Records"][0]["eventSourceARN"], found]))
        if any(name == "poison" for _, name in found):
            raise ValueError("poison")
        failed = [r for r in event["Records"] if r["dynamodb"]["Keys"]["id"]["S"] == "report"]
        numbers = [r["dynamodb"]["SequenceNumber"] for r in failed]
        return {"batchItemFailures": [{"itemIdentifier": number} for number in numbers]}
"""
_numbers = itertools.count()


class Scene:
    """A table with a stream, and a mapping of it to a function that logs what it gets."""

    def __init__(self, aws: LocalAws) -> None:
        number = next(_numbers)
        self.aws, self.table = aws, f"table-{number}"
        self.function, self.role = f"changes-{number}", f"changes-role-{number}"
        self.dynamodb, self.functions = aws.client("dynamodb"), aws.client("lambda")
        created = self.dynamodb.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        self.arn = created["TableDescription"]["LatestStreamArn"]
        role = create_role(aws, self.role, LAMBDA, [allowed(READING, self.arn)])
        create_function(aws, role, self.function, HANDLER)

    def map(self, **settings: Any) -> str:
        created = self.functions.create_event_source_mapping(
            FunctionName=self.function,
            **{"EventSourceArn": self.arn, "StartingPosition": "TRIM_HORIZON", **settings},
        )
        return str(created["UUID"])

    def put(self, *names: str) -> None:
        for name in names:
            item = {"id": {"S": name}, "n": {"N": str(next(_numbers))}}
            self.dynamodb.put_item(TableName=self.table, Item=item)

    def batches(self) -> list[list[str]]:
        """The ids of the items of each batch."""
        logs, found = self.aws.client("logs"), []
        group = f"/aws/lambda/{self.function}"
        try:
            events = logs.filter_log_events(logGroupName=group)["events"]
        except ClientError:
            return []
        for event in events:
            for line in event["message"].splitlines():
                if line.startswith("GOT "):
                    _, changes = json.loads(line.removeprefix("GOT "))
                    found.append([name for _, name in changes])
        return found


@pytest.fixture
def scene(aws: LocalAws) -> Iterator[Scene]:
    found = Scene(aws)
    yield found
    for mapping in found.functions.list_event_source_mappings()["EventSourceMappings"]:
        found.functions.delete_event_source_mapping(UUID=mapping["UUID"])


def test_changes_come_in_their_order_and_filters_leave_deletions_out(
    aws: LocalAws, scene: Scene
) -> None:
    pattern = json.dumps({"eventName": ["INSERT", "MODIFY"]})
    scene.map(BatchSize=2, FilterCriteria={"Filters": [{"Pattern": pattern}]})
    scene.put("a", "b", "a")
    scene.dynamodb.delete_item(TableName=scene.table, Key={"id": {"S": "b"}})
    scene.put("c")
    aws.event_sources.deliver()
    assert scene.batches() == [["a", "b"], ["a", "c"]]


def test_a_reported_change_and_all_after_it_come_again(aws: LocalAws, scene: Scene) -> None:
    scene.map(FunctionResponseTypes=["ReportBatchItemFailures"], MaximumRetryAttempts=1)
    scene.put("a", "report", "c")
    aws.event_sources.settle()
    assert scene.batches()[:2] == [["a", "report", "c"], ["report", "c"]]


def test_a_failing_batch_is_halved_until_one_change_is_given_up(
    aws: LocalAws, scene: Scene
) -> None:
    queue = aws.client("sqs").create_queue(QueueName=f"lost-{scene.table}")["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:123456789012:lost-{scene.table}"
    allow(aws, scene.role, [allowed(READING, scene.arn), allowed(["sqs:SendMessage"], arn)])
    scene.map(
        BisectBatchOnFunctionError=True,
        MaximumRetryAttempts=1,
        DestinationConfig={"OnFailure": {"Destination": arn}},
    )
    scene.put("a", "poison", "c", "d")
    aws.event_sources.settle()
    assert scene.batches()[-1] in (["c", "d"], ["d"])
    [message] = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    lost = json.loads(message["Body"])["DDBStreamBatchInfo"]
    assert (lost["batchSize"], lost["streamArn"]) == (1, scene.arn)


def test_shards_roll_and_a_childs_changes_follow_its_parents(aws: LocalAws, scene: Scene) -> None:
    aws.clock.move_to(datetime(2030, 1, 1, 7, 59, tzinfo=UTC))
    scene.map()
    scene.put("parent-1", "parent-2")
    aws.clock.advance(180)
    scene.put("child-1")
    aws.event_sources.deliver()
    aws.clock.advance(5 * 3_600)
    scene.put("grandchild")
    aws.event_sources.deliver()
    assert scene.batches() == [["parent-1", "parent-2"], ["child-1"], ["grandchild"]]


def test_latest_begins_when_the_mapping_is_created(aws: LocalAws, scene: Scene) -> None:
    scene.put("before")
    scene.map(StartingPosition="LATEST")
    scene.put("after")
    aws.event_sources.deliver()
    assert scene.batches() == [["after"]]


def test_throttled_reads_lose_nothing(aws: LocalAws, scene: Scene) -> None:
    scene.map()
    scene.put("a")
    aws.faults.add(Fault.throttling("dynamodb", "GetRecords", times=3))
    aws.event_sources.settle(60)
    assert scene.batches() == [["a"]]


def test_reading_needs_the_functions_permission_and_a_stream(aws: LocalAws, scene: Scene) -> None:
    allow(aws, scene.role, [allowed(READING[1:], scene.arn)])
    with pytest.raises(ClientError, match="Cannot access stream"):
        scene.map()
    allow(aws, scene.role, [allowed(READING, "*")])
    with pytest.raises(ClientError, match="Stream not found"):
        scene.map(EventSourceArn=scene.arn.replace(scene.table, "missing"))
    with pytest.raises(ClientError, match="Unsupported starting position"):
        scene.map(StartingPosition="AT_TIMESTAMP", StartingPositionTimestamp=1)
