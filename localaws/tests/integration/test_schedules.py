"""Rules that fire by themselves, where that is wanted."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from localaws import LocalAws
from support.functions import create_function
from support.roles import create_role
from support.state_machines import create_machine, machine

LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(schedules=True) as running:
        running.clock.move_to(NOW)
        yield running


@pytest.fixture
def role(aws: LocalAws) -> str:
    start = {"Effect": "Allow", "Action": "states:StartExecution", "Resource": "*"}
    trusted = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [{**trusted, "Action": "sts:AssumeRole"}]}
    return create_role(aws, "rule", trust, [start])


def schedule(aws: LocalAws, role: str, expression: str, state: str = "ENABLED") -> str:
    arn = create_machine(aws, role, machine(Same={"Type": "Succeed"}))
    events = aws.client("events")
    name = f"rule-{arn[-8:]}"
    events.put_rule(Name=name, ScheduleExpression=expression, State=state)
    events.put_targets(Rule=name, Targets=[{"Id": "machine", "Arn": arn, "RoleArn": role}])
    time.sleep(0.5)
    return arn


def times_fired(aws: LocalAws, arn: str, expected: int) -> list[str]:
    """The times in the events that have started this machine."""
    client = aws.client("stepfunctions")
    executions: list[dict[str, Any]] = []
    deadline = time.monotonic() + 5
    while len(executions) < expected and time.monotonic() < deadline:
        time.sleep(0.05)
        executions = client.list_executions(stateMachineArn=arn)["executions"]
    inputs = [
        json.loads(client.describe_execution(executionArn=found["executionArn"])["input"])
        for found in executions
    ]
    return sorted(event["time"] for event in inputs)


@pytest.mark.parametrize("expression", ["rate(1 hour)", "cron(0 * * * ? *)"])
def test_a_rule_fires_once_for_every_time_that_the_clock_passes(
    aws: LocalAws, role: str, expression: str
) -> None:
    arn = schedule(aws, role, expression)
    aws.clock.move_to(NOW + timedelta(hours=2))
    assert times_fired(aws, arn, 2) == ["2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"]


def test_a_disabled_rule_does_not_fire(aws: LocalAws, role: str) -> None:
    enabled = schedule(aws, role, "rate(1 hour)")
    disabled = schedule(aws, role, "rate(1 hour)", "DISABLED")
    aws.clock.move_to(NOW + timedelta(hours=1))
    assert len(times_fired(aws, enabled, 1)) == 1
    assert times_fired(aws, disabled, 0) == []


def test_a_function_is_invoked_every_minute_of_the_clock(aws: LocalAws) -> None:
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [{**trusted, "Action": "sts:AssumeRole"}]}
    arn = create_function(
        aws, create_role(aws, "ticks", trust, [LOGS]), "ticks", "def handler(event, context): pass"
    )
    events = aws.client("events")
    events.put_rule(Name="minutely", ScheduleExpression="rate(1 minute)")
    events.put_targets(Rule="minutely", Targets=[{"Id": "function", "Arn": arn}])
    time.sleep(0.5)
    aws.clock.advance(180)
    deadline = time.monotonic() + 10
    while (found := invocations(aws, "ticks")) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == 3


def invocations(aws: LocalAws, function: str) -> float:
    dimensions = {"FunctionName": function}
    counted = aws.cloudwatch.stored_series("AWS/Lambda", "Invocations", dimensions, 3600, "Sum")
    return sum(counted.values())
