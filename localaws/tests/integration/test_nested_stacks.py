"""Stacks nested in a stack, and templates that are refused before anything is created."""

from pathlib import Path

import pytest

from localaws import LocalAws, Stack
from localaws.deployment import DeploymentFailed

ROOT = """
Parameters:
  Named: {Type: String, Default: "no"}
  Greeting: {Type: String, Default: hello}
Conditions:
  IsNamed: !Equals [!Ref Named, "yes"]
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Inner:
    Type: AWS::CloudFormation::Stack
    Properties:
      TemplateURL: stacks/inner.yaml
      Parameters: {Topic: !Ref Topic, Greeting: !Ref Greeting, Named: !Ref Named}
Outputs:
  QueueUrl: {Value: !GetAtt Inner.Outputs.QueueUrl}
"""
INNER = """
Parameters:
  Topic: {Type: String, AllowedPattern: "arn:.+"}
  Greeting: {Type: String}
  Named: {Type: String, AllowedValues: ["yes", "no"]}
Conditions:
  IsNamed: !Equals [!Ref Named, "yes"]
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Rung:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: inner-rung
      AlarmDescription: !Ref Greeting
      AlarmActions: [!Ref Topic]
      Namespace: AWS/SQS
      MetricName: ApproximateNumberOfMessagesVisible
      Dimensions: [{Name: QueueName, Value: !GetAtt Queue.QueueName}]
      Statistic: Maximum
      Period: 300
      EvaluationPeriods: 1
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
  Board:
    Type: AWS::CloudWatch::Dashboard
    Properties:
      DashboardName: inner-board
      DashboardBody: !Sub '{"widgets": [], "start": "-P1W", "alarm": "${Rung.Arn}"}'
EXTRA
Outputs:
  QueueUrl: {Value: !Ref Queue}
"""
UNSUPPORTED = """
  Bucket:
    Type: AWS::S3::Bucket
    Condition: IsNamed
    Properties: {AccelerateConfiguration: {AccelerationStatus: Enabled}}
"""
# CloudWatch itself refuses the period, once the queue has been made.
FAILING = """
  Wrong:
    Type: AWS::CloudWatch::Alarm
    DependsOn: [Board, Queue]
    Properties: {AlarmName: wrong, Namespace: A, MetricName: M, Statistic: Sum, Period: 7, EvaluationPeriods: 1,
                 ComparisonOperator: GreaterThanThreshold, Threshold: 0}
"""


def deploy(aws: LocalAws, folder: Path, extra: str = "", **parameters: str) -> Stack:
    (folder / "stacks").mkdir(exist_ok=True)
    (folder / "template.yaml").write_text(ROOT)
    (folder / "stacks" / "inner.yaml").write_text(INNER.replace("EXTRA", extra))
    return aws.deploy(folder / "template.yaml", stack_name="outer", parameters=parameters)


@pytest.fixture
def stack(aws: LocalAws, tmp_path: Path) -> Stack:
    return deploy(aws, tmp_path)


@pytest.fixture(autouse=True)
def _empty(aws: LocalAws) -> None:
    aws.client("cloudformation").delete_stack(StackName="outer")
    assert made(aws) == []


def made(aws: LocalAws) -> list[str]:
    """Everything that either template creates."""
    cloudwatch = aws.client("cloudwatch")
    return [
        *(url for url in aws.client("sqs").list_queues().get("QueueUrls", []) if "outer" in url),
        *(a["AlarmName"] for a in cloudwatch.describe_alarms()["MetricAlarms"] if "inner" in a["AlarmName"]),
        *(d["DashboardName"] for d in cloudwatch.list_dashboards()["DashboardEntries"]),
        *(t["TopicArn"] for t in aws.client("sns").list_topics()["Topics"] if "outer" in t["TopicArn"]),
    ]  # fmt: skip


def alarm(aws: LocalAws) -> dict[str, object]:
    [found] = aws.client("cloudwatch").describe_alarms(AlarmNames=["inner-rung"])["MetricAlarms"]
    return dict(found)


def test_a_nested_template_is_uploaded_and_its_outputs_are_the_root_s(
    aws: LocalAws, stack: Stack
) -> None:
    assert stack.outputs["QueueUrl"] in aws.client("sqs").list_queues()["QueueUrls"]
    assert alarm(aws)["AlarmActions"] == [stack.physical_id("Topic")]


def test_an_update_reaches_the_nested_stack_and_keeps_what_has_not_changed(
    aws: LocalAws, stack: Stack, tmp_path: Path
) -> None:
    updated = deploy(aws, tmp_path, Greeting="good morning")
    assert alarm(aws)["AlarmDescription"] == "good morning"
    assert updated.outputs == stack.outputs
    assert updated.physical_id("Inner") == stack.physical_id("Inner")


def test_deleting_the_root_deletes_the_nested_stack(aws: LocalAws, stack: Stack) -> None:
    assert made(aws) != []
    aws.client("cloudformation").delete_stack(StackName=stack.name)
    assert made(aws) == []


def test_a_property_that_is_unsupported_inside_is_refused_before_anything_is_created(
    aws: LocalAws, tmp_path: Path
) -> None:
    refusal = r"Inner\.Bucket .*AccelerateConfiguration of AWS::S3::Bucket"
    with pytest.raises(DeploymentFailed, match=refusal):
        deploy(aws, tmp_path, UNSUPPORTED, Named="yes")
    assert made(aws) == []


def test_an_unsupported_property_of_what_a_condition_leaves_out_is_no_obstacle(
    aws: LocalAws, tmp_path: Path
) -> None:
    deploy(aws, tmp_path, UNSUPPORTED, Named="no")
    assert made(aws) != []


def test_an_update_is_refused_before_anything_is_changed(
    aws: LocalAws, stack: Stack, tmp_path: Path
) -> None:
    with pytest.raises(DeploymentFailed, match="AccelerateConfiguration"):
        deploy(aws, tmp_path, UNSUPPORTED, Named="yes", Greeting="changed")
    assert alarm(aws)["AlarmDescription"] == "hello"


def test_a_value_that_a_nested_parameter_does_not_allow_is_refused_before_anything_is_created(
    aws: LocalAws, tmp_path: Path
) -> None:
    with pytest.raises(DeploymentFailed, match="Named"):
        deploy(aws, tmp_path, Named="perhaps")
    assert made(aws) == []


def test_a_nested_stack_that_fails_while_it_is_created_leaves_nothing(
    aws: LocalAws, tmp_path: Path
) -> None:
    with pytest.raises(DeploymentFailed, match="Period"):
        deploy(aws, tmp_path, FAILING)
    assert made(aws) == []


def test_a_nested_template_that_is_missing_is_named(aws: LocalAws, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(ROOT)
    with pytest.raises(FileNotFoundError, match=r"TemplateURL stacks/inner\.yaml does not exist"):
        aws.deploy(tmp_path / "template.yaml", stack_name="outer")
