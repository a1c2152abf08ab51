"""Deploying SAM templates."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from localaws import LocalAws, Stack
from localaws.deployment import DeploymentFailed

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Greeting: {Type: String, Default: hello}
  Days: {Type: Number, Default: 30}
  Place: {Type: String, Default: here}
Rules:
  PlaceIsKnown:
    Assertions:
      - Assert: !Contains [[here, there], !Ref Place]
        AssertDescription: Place must be here or there.
Globals:
  Function: {Runtime: python3.13, CodeUri: code/, Handler: app.handler}
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - ServerSideEncryptionByDefault: {SSEAlgorithm: AES256}
      LifecycleConfiguration:
        Rules: [{Id: old, Status: Enabled, Prefix: data/, ExpirationInDays: !Ref Days}]
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
  Greet:
    Type: AWS::Serverless::Function
    Properties:
      Environment: {Variables: {GREETING: !Ref Greeting, BUCKET: !Ref Bucket}}
  Machine:
    Type: AWS::Serverless::StateMachine
    Properties:
      DefinitionUri: machine.asl.json
      DefinitionSubstitutions: {GreetArn: !GetAtt Greet.Arn}
      Policies: [{LambdaInvokePolicy: {FunctionName: !Ref Greet}}]
      Events:
        Weekly: {Type: Schedule, Properties: {Schedule: "rate(7 days)"}}
Outputs:
  BucketName: {Value: !Ref Bucket}
  MachineArn: {Value: !Ref Machine}
"""
HANDLER = """
    import os

    def handler(event, context):
        return {"text": os.environ["GREETING"], **event}
"""
DEFINITION = (
    '{"StartAt": "Greet", "States": {"Greet": '
    '{"Type": "Task", "Resource": "${GreetArn}", "End": true}}}'
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("application")
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "machine.asl.json").write_text(DEFINITION)
    (folder / "code").mkdir()
    (folder / "code" / "app.py").write_text(dedent(HANDLER))
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def stack(aws: LocalAws, template: Path) -> Stack:
    return aws.deploy(template, stack_name="greeter", tags={"team": "papers"})


def deploy_text(aws: LocalAws, folder: Path, text: str, **parameters: str) -> Stack:
    path = folder / "template.yaml"
    path.write_text(text)
    return aws.deploy(path, stack_name="refused", parameters=parameters)


def test_outputs_and_resources_are_those_of_the_template(stack: Stack) -> None:
    assert stack.outputs["BucketName"] == stack.physical_id("Bucket")
    assert stack.outputs["MachineArn"] == stack.physical_id("Machine")


def test_a_deployed_state_machine_runs_the_packaged_code(stack: Stack) -> None:
    assert stack.start("Machine", {"to": "you"}).wait().output == {"text": "hello", "to": "you"}


def test_a_schedule_fires_with_the_scheduled_event(stack: Stack) -> None:
    at = datetime(2026, 3, 1, 4, tzinfo=UTC)
    (execution,) = stack.fire("MachineWeekly", at=at)
    event = execution.wait().output
    assert event["time"] == "2026-03-01T04:00:00Z"
    assert event["detail-type"] == "Scheduled Event"
    assert event["source"] == "aws.events"
    assert event["resources"][0].startswith("arn:aws:events:us-east-1:123456789012:rule/")


def test_what_a_bucket_is_told_it_is(aws: LocalAws, stack: Stack) -> None:
    s3, name = aws.client("s3"), stack.outputs["BucketName"]
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    default = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert default["SSEAlgorithm"] == "AES256"
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    assert (rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) == ("data/", 30)
    ownership = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"][0]
    assert ownership["ObjectOwnership"] == "BucketOwnerEnforced"
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["team"] == "papers"
    assert tags["aws:cloudformation:stack-name"] == "greeter"


def test_what_a_table_is_told_it_is(aws: LocalAws, stack: Stack) -> None:
    dynamodb, name = aws.client("dynamodb"), stack.physical_id("Table")
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    recovery: dict[str, Any] = backups["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_second_deployment_updates(aws: LocalAws, stack: Stack, template: Path) -> None:
    parameters = {"Greeting": "good morning", "Days": "7"}
    updated = aws.deploy(template, stack_name="greeter", parameters=parameters)
    assert updated.outputs == stack.outputs
    assert updated.start("Machine", {}).wait().output == {"text": "good morning"}
    rules = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=stack.outputs["BucketName"])
    assert rules["Rules"][0]["Expiration"]["Days"] == 7


def test_the_same_deployment_again_changes_nothing(aws: LocalAws, template: Path) -> None:
    for _ in range(2):
        aws.deploy(template, stack_name="greeter", parameters={"Greeting": "again"})


def test_a_failed_assertion_refuses_with_its_sentence(aws: LocalAws, template: Path) -> None:
    with pytest.raises(DeploymentFailed, match="Place must be here or there"):
        aws.deploy(template, stack_name="elsewhere", parameters={"Place": "elsewhere"})


def test_a_resource_type_that_is_missing_here_fails_by_name(aws: LocalAws, tmp_path: Path) -> None:
    text = "Resources: {E: {Type: AWS::SageMaker::Endpoint, Properties: {}}}"
    with pytest.raises(DeploymentFailed, match="AWS::SageMaker::Endpoint"):
        deploy_text(aws, tmp_path, text)


def test_a_property_that_would_be_ignored_fails_by_name(aws: LocalAws, tmp_path: Path) -> None:
    text = """
    Resources:
      B: {Type: AWS::S3::Bucket, Properties: {AccelerateConfiguration: {}}}
    """
    with pytest.raises(DeploymentFailed, match=r"AccelerateConfiguration of AWS::S3::Bucket"):
        deploy_text(aws, tmp_path, text)


@pytest.mark.parametrize(("stage", "queues"), [("small", 0), ("large", 1)])
def test_a_condition_may_look_a_value_up_in_a_mapping(
    aws: LocalAws, tmp_path: Path, stage: str, queues: int
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("""
    Parameters: {Stage: {Type: String}}
    Mappings: {Settings: {Queue: {small: DISABLED, large: ENABLED}}}
    Conditions: {HasQueue: !Equals [!FindInMap [Settings, Queue, !Ref Stage], ENABLED]}
    Resources:
      Topic: {Type: AWS::SNS::Topic}
      Queue: {Type: AWS::SQS::Queue, Condition: HasQueue}
    """)
    stack = aws.deploy(path, stack_name=f"queue-{stage}", parameters={"Stage": stage})
    assert list(stack.resources).count("Queue") == queues


@pytest.mark.parametrize(("place", "topics"), [("", 0), ("arn:aws:s3:::a", 0), ("arn:aws:sns::1:a", 1)])  # fmt: skip
def test_a_condition_may_split_a_text(
    aws: LocalAws, tmp_path: Path, place: str, topics: int
) -> None:
    path = tmp_path / "template.yaml"
    path.write_text("""
    Parameters: {Place: {Type: String}}
    Conditions: {IsTopic: !Equals [!Select [2, !Split [":", !Sub "${Place}:::"]], sns]}
    Resources:
      Topic: {Type: AWS::SNS::Topic, Condition: IsTopic}
      Queue: {Type: AWS::SQS::Queue}
    """)
    stack = aws.deploy(path, stack_name=f"place-{len(place)}", parameters={"Place": place})
    assert list(stack.resources).count("Topic") == topics


def test_code_that_is_not_there_is_named(aws: LocalAws, tmp_path: Path) -> None:
    text = """
    Transform: AWS::Serverless-2016-10-31
    Resources:
      F: {Type: AWS::Serverless::Function, Properties: {CodeUri: nowhere/, Handler: a.b}}
    """
    with pytest.raises(FileNotFoundError, match="CodeUri nowhere/ does not exist"):
        deploy_text(aws, tmp_path, text)


def test_a_rule_that_is_not_there_is_named(stack: Stack) -> None:
    with pytest.raises(KeyError, match="NoSuchRule"):
        stack.fire("NoSuchRule", at=datetime(2026, 3, 1, tzinfo=UTC))
