"""Alarms that CloudFormation deploys."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from localaws import LocalAws, Stack
from localaws.deployment import DeploymentFailed
from support.alarms import described

TEMPLATE = """
Parameters:
  Periods: {Type: Number, Default: 2}
  Needed: {Type: Number, Default: 1}
  Acts: {Type: String, Default: "true"}
  Order: {Type: String, Default: ORDER BY MAX() DESC}
Resources:
  Topic: {Type: AWS::SNS::Topic}
  Untold:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmDescription: Nobody was told.
      ActionsEnabled: !Ref Acts
      AlarmActions: [!Ref Topic]
      ComparisonOperator: GreaterThanThreshold
      Threshold: "0.5"
      EvaluationPeriods: !Ref Periods
      DatapointsToAlarm: !Ref Needed
      TreatMissingData: notBreaching
      Tags: [{Key: team, Value: papers}]
      Metrics:
        - {Id: untold, Expression: "FILL(failed, 0) - FILL(told, 0)", Label: untold}
        - Id: failed
          ReturnData: false
          MetricStat: {Metric: {Namespace: Shop, MetricName: failed}, Period: "300", Stat: Sum}
        - Id: told
          ReturnData: "false"
          MetricStat: {Metric: {Namespace: Shop, MetricName: told}, Period: 300, Stat: Sum}
  Anomalies:
    Type: AWS::CloudWatch::Alarm
    Properties:
      ComparisonOperator: GreaterThanThreshold
      Threshold: 0
      EvaluationPeriods: 1
      TreatMissingData: notBreaching
      Metrics:
        - Id: anomalies
          Period: 300
          Expression: !Sub
            - SELECT MAX(Anomalous) FROM SCHEMA("Shop", Detector) GROUP BY Detector ${By}
            - {By: !Ref Order}
Outputs:
  UntoldArn: {Value: !GetAtt Untold.Arn}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("alarms") / "template.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture(scope="module")
def stack(aws: LocalAws, template: Path) -> Stack:
    return aws.deploy(template, stack_name="watched")


def test_an_alarm_of_a_template_is_put_as_it_says(aws: LocalAws, stack: Stack) -> None:
    alarm = described(aws, stack.physical_id("Untold"))
    assert alarm["AlarmArn"] == stack.outputs["UntoldArn"]
    assert alarm["AlarmActions"] == [stack.physical_id("Topic")]
    settings = ("ActionsEnabled", "Threshold", "EvaluationPeriods", "DatapointsToAlarm")
    assert [alarm[name] for name in settings] == [True, 0.5, 2, 1]
    assert [query.get("ReturnData") for query in alarm["Metrics"]] == [None, False, False]
    assert alarm["Metrics"][1]["MetricStat"]["Period"] == 300
    assert alarm["StateValue"] == "OK"
    tags = aws.client("cloudwatch").list_tags_for_resource(ResourceARN=alarm["AlarmArn"])["Tags"]
    assert {"Key": "team", "Value": "papers"} in tags


def test_an_update_of_the_stack_updates_its_alarms(
    aws: LocalAws, stack: Stack, template: Path
) -> None:
    name = stack.physical_id("Untold")
    aws.deploy(template, stack_name="watched", parameters={"Periods": "3", "Acts": "false"})
    alarm = described(aws, name)
    assert (alarm["EvaluationPeriods"], alarm["ActionsEnabled"]) == (3, False)


@pytest.mark.parametrize(
    ("parameters", "complaint"),
    [
        ({"Needed": "3"}, r"DatapointsToAlarm \(3\) must be less than or equal"),
        ({"Periods": "300"}, "more than a day"),
        ({"Order": "LIMIT 5"}, "implements SELECT MAX"),
    ],
)
def test_what_cloudwatch_refuses_fails_the_deployment_by_name(
    aws: LocalAws, template: Path, parameters: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(DeploymentFailed, match=complaint):
        aws.deploy(template, stack_name=f"refused-{uuid4()}", parameters=parameters)


def test_alarms_go_with_their_stack(aws: LocalAws, template: Path) -> None:
    stack = aws.deploy(template, stack_name="gone")
    name = stack.physical_id("Anomalies")
    assert described(aws, name)["StateValue"] == "OK"
    aws.client("cloudformation").delete_stack(StackName="gone")
    aws.client("cloudformation").get_waiter("stack_delete_complete").wait(
        StackName="gone", WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    assert aws.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"] == []
