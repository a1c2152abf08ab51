"""Templates with streams and mappings; stacks that import from each other; schedules and queues beside them."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws, Stack
from localaws.deployment import DeploymentFailed

BASE = """
Parameters:
  Shards: {Type: Number, Default: 1}
  Hours: {Type: Number, Default: 24}
Resources:
  Stream:
    Type: AWS::Kinesis::Stream
    Properties:
      ShardCount: !Ref Shards
      RetentionPeriodHours: !Ref Hours
      StreamEncryption: {EncryptionType: KMS, KeyId: alias/aws/kinesis}
      Tags: [{Key: team, Value: a}]
Outputs:
  StreamArn: {Value: !GetAtt Stream.Arn, Export: {Name: stream-arn}}
  StreamName: {Value: !Ref Stream}
"""
READER = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Batch: {Type: Number, Default: 10}
  Enabled: {Type: String, Default: "true"}
  Start: {Type: String, Default: TRIM_HORIZON}
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties: {FifoQueue: true}
  Results:
    Type: AWS::Serverless::SimpleTable
  Read:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      Environment: {Variables: {TABLE: !Ref Results}}
      Policies: [{DynamoDBWritePolicy: {TableName: !Ref Results}}]
      InlineCode: |
        import base64, boto3, os
        def handler(event, context):
            table = boto3.resource("dynamodb").Table(os.environ["TABLE"])
            for record in event.get("Records", [{"kinesis": {"data": "dGljaw=="}}]):
                text = base64.b64decode(record["kinesis"]["data"]).decode()
                table.put_item(Item={"id": text, "size": len(event.get("Records", []))})
      Events:
        Records:
          Type: Kinesis
          Properties:
            Stream: !ImportValue stream-arn
            StartingPosition: !Ref Start
            BatchSize: !Ref Batch
            Enabled: !Ref Enabled
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
        Minutely: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
"""


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(BASE)
    (tmp_path / "reader.yaml").write_text(READER)
    return tmp_path


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws() as running:
        yield running


def deploy(aws: LocalAws, template: Path, **parameters: str) -> Stack:
    return aws.deploy(template, stack_name=template.stem, parameters=parameters)


def items(aws: LocalAws, reader: Stack) -> dict[str, int]:
    table = aws.client("dynamodb").scan(TableName=reader.physical_id("Results"))
    return {item["id"]["S"]: int(item["size"]["N"]) for item in table["Items"]}


def mappings(aws: LocalAws) -> list[Any]:
    found: list[Any] = aws.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    return found


def delete(aws: LocalAws, name: str) -> None:
    cloudformation = aws.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        listed = cloudformation.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])
        if name in {each["StackName"] for each in listed["StackSummaries"]}:
            return
        time.sleep(0.02)
    raise AssertionError(f"{name} is not deleted")


@pytest.mark.slow
def test_a_stack_reads_the_stream_of_another(aws: LocalAws, templates: Path) -> None:
    base = deploy(aws, templates / "base.yaml")
    reader = deploy(aws, templates / "reader.yaml")
    kinesis, name = aws.client("kinesis"), base.outputs["StreamName"]
    for text in ("a", "b"):
        kinesis.put_record(StreamName=name, Data=text, PartitionKey="k")
    aws.event_sources.deliver()
    assert items(aws, reader) == {"a": 2, "b": 2}
    (mapping,) = mappings(aws)
    assert mapping["EventSourceArn"] == base.outputs["StreamArn"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert all(call.succeeded for call in aws.calls.of("kinesis", "GetRecords"))

    deploy(aws, templates / "reader.yaml", Batch="1", Enabled="false")
    (changed,) = mappings(aws)
    assert changed["UUID"] == mapping["UUID"]
    assert (changed["BatchSize"], changed["State"]) == (1, "Disabled")

    delete(aws, "reader")
    assert mappings(aws) == []


def test_a_stream_is_changed_in_place_and_keeps_its_records(aws: LocalAws, templates: Path) -> None:
    name = deploy(aws, templates / "base.yaml").outputs["StreamName"]
    kinesis = aws.client("kinesis")
    kinesis.put_record(StreamName=name, Data="a", PartitionKey="k")
    deploy(aws, templates / "base.yaml", Shards="2", Hours="48")
    summary = kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert (summary["OpenShardCount"], summary["RetentionPeriodHours"]) == (2, 48)
    assert (summary["EncryptionType"], summary["KeyId"]) == ("KMS", "alias/aws/kinesis")
    tags = kinesis.list_tags_for_stream(StreamName=name)["Tags"]
    assert {"Key": "team", "Value": "a"} in tags
    first = kinesis.get_shard_iterator(
        StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    assert [each["Data"] for each in kinesis.get_records(ShardIterator=first)["Records"]] == [b"a"]
    delete(aws, "base")
    assert kinesis.list_streams()["StreamNames"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("BatchSize: !Ref Batch", "BatchSize: 20000"), "less than or equal to 10000"),
        (("Enabled: !Ref Enabled", "ParallelizationFactor: 11"), "less than or equal to 10"),
    ],
)
def test_a_refused_mapping_is_gone_after_the_rollback(
    aws: LocalAws, templates: Path, change: tuple[str, str], message: str
) -> None:
    deploy(aws, templates / "base.yaml")
    (templates / "reader.yaml").write_text(READER.replace(*change))
    with pytest.raises(DeploymentFailed, match=message):
        deploy(aws, templates / "reader.yaml")
    assert mappings(aws) == []


def test_a_mapping_that_was_made_is_gone_after_the_rollback(aws: LocalAws, templates: Path) -> None:
    deploy(aws, templates / "base.yaml")
    late = """Resources:
  Late:
    Type: AWS::S3::Bucket
    DependsOn: ReadRecords
    Properties: {LifecycleConfiguration: {Rules: [{Status: Enabled, Transitions: []}]}}
"""
    (templates / "reader.yaml").write_text(READER.replace("Resources:\n", late, 1))
    with pytest.raises(DeploymentFailed, match="does not implement Transitions"):
        deploy(aws, templates / "reader.yaml")
    made = [call.operation for call in aws.calls.of("kinesis")]
    assert mappings(aws) == []
    aws.event_sources.deliver()
    assert [call.operation for call in aws.calls.of("kinesis")] == made


@pytest.mark.parametrize(
    ("kind", "properties", "name"),
    [
        ("AWS::Kinesis::Stream", "ShardCount: 1, DesiredShardLevelMetrics: [ALL]", "DesiredShard"),
        ("AWS::Lambda::EventSourceMapping", "FunctionName: f, KmsKeyArn: k", "KmsKeyArn"),
        ("AWS::Lambda::EventSourceMapping", "FunctionName: f, Queues: [q]", "Queues"),
    ],
)
def test_a_property_without_effect_is_refused_before_anything_is_made(
    aws: LocalAws, tmp_path: Path, kind: str, properties: str, name: str
) -> None:
    template = tmp_path / "refused.yaml"
    template.write_text(f"""
Resources:
  Queue: {{Type: AWS::SQS::Queue}}
  Refused: {{Type: {kind}, Properties: {{{properties}}}}}
""")
    with pytest.raises(DeploymentFailed, match=f"does not implement property {name}"):
        deploy(aws, template)
    assert not aws.client("sqs").list_queues().get("QueueUrls")


def test_a_resource_whose_property_is_refused_late_is_gone_after_the_rollback(
    aws: LocalAws, tmp_path: Path
) -> None:
    template = tmp_path / "late.yaml"
    template.write_text("""
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: refused-late
      LifecycleConfiguration:
        Rules: [{Id: a, Status: Enabled, Transitions: [{StorageClass: GLACIER}]}]
""")
    with pytest.raises(DeploymentFailed, match="does not implement Transitions"):
        deploy(aws, template)
    assert "refused-late" not in {
        each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]
    }


def test_a_function_that_a_fired_rule_invokes_has_ended_then(
    aws: LocalAws, templates: Path
) -> None:
    deploy(aws, templates / "base.yaml")
    reader = deploy(aws, templates / "reader.yaml")
    (rule,) = aws.client("events").list_rules()["Rules"]
    assert aws.fire(rule["Name"]) == []
    assert items(aws, reader) == {"tick": 0}


def test_a_schedule_of_the_scheduler_invokes_its_function_in_its_role(
    aws: LocalAws, templates: Path
) -> None:
    (templates / "reader.yaml").write_text(
        READER.replace("Type: Schedule,", "Type: ScheduleV2,").replace(
            "{Schedule: rate", "{ScheduleExpression: rate"
        )
    )
    deploy(aws, templates / "base.yaml")
    reader = deploy(aws, templates / "reader.yaml")
    (schedule,) = aws.client("scheduler").list_schedules()["Schedules"]
    aws.fire(schedule["Name"])
    assert items(aws, reader) == {"tick": 0}


def test_a_fifo_queue_takes_a_message_once(aws: LocalAws, templates: Path) -> None:
    deploy(aws, templates / "base.yaml")
    url = deploy(aws, templates / "reader.yaml").physical_id("Dead")
    sqs = aws.client("sqs")
    for body, duplicate in (("a", "1"), ("a", "1"), ("b", "2")):
        sqs.send_message(
            QueueUrl=url,
            MessageBody=json.dumps(body),
            MessageGroupId="g",
            MessageDeduplicationId=duplicate,
        )
    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [json.loads(message["Body"]) for message in received] == ["a", "b"]
    aws.clock.advance(timedelta(minutes=6).total_seconds())
    sqs.send_message(
        QueueUrl=url, MessageBody='"c"', MessageGroupId="h", MessageDeduplicationId="1"
    )
    later = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert '"c"' in [message["Body"] for message in later]


OTHERS = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
      StreamSpecification: {StreamViewType: NEW_IMAGE}
  Read:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      Handler: index.handler
      InlineCode: |
        def handler(event, context):
            print("GOT", sorted(record["eventSource"] for record in event["Records"]))
      Events:
        Messages: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, BatchSize: 5}}
        Items:
          Type: DynamoDB
          Properties: {Stream: !GetAtt Table.StreamArn, StartingPosition: TRIM_HORIZON, BatchSize: 7}
"""


def test_mappings_of_queues_and_tables_still_deliver(aws: LocalAws, tmp_path: Path) -> None:
    template = tmp_path / "others.yaml"
    template.write_text(OTHERS)
    stack = deploy(aws, template)
    assert sorted(mapping["BatchSize"] for mapping in mappings(aws)) == [5, 7]
    aws.client("sqs").send_message(QueueUrl=stack.physical_id("Queue"), MessageBody="a")
    item = {"id": {"S": "a"}}
    aws.client("dynamodb").put_item(TableName=stack.physical_id("Table"), Item=item)
    aws.event_sources.settle()
    group = f"/aws/lambda/{stack.physical_id('Read')}"
    expected = {"GOT ['aws:dynamodb']", "GOT ['aws:sqs']"}
    deadline = time.monotonic() + 300
    logged: set[str] = set()
    while logged != expected and time.monotonic() < deadline:
        time.sleep(0.1)
        logs = aws.client("logs")
        if logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
            events = logs.filter_log_events(logGroupName=group, filterPattern="GOT")["events"]
            logged = {event["message"].strip() for event in events}
    assert logged == expected
    delete(aws, "others")
    assert mappings(aws) == []
