"""Rules that fire by themselves, where that is wanted."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from localaws import LocalAws
from localaws.embedded_ministack import service
from support.functions import create_function
from support.roles import create_role
from support.state_machines import create_machine, machine

LOGS = {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with LocalAws(schedules=True) as running:
        running.clock.move_to(NOW)
        wait_until(lambda: abs(watched_until(running) - NOW) < timedelta(minutes=20))
        yield running


def watched_until(aws: LocalAws) -> datetime:
    """The time up to which rules have been fired: what the clock passes from there on counts."""
    assert aws._schedules is not None
    return aws._schedules.passed


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


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
    return arn


def times_fired(aws: LocalAws, arn: str, expected: int) -> list[str]:
    """The times in the events that have started this machine."""
    client = aws.client("stepfunctions")

    def started() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = client.list_executions(stateMachineArn=arn)["executions"]
        return found

    wait_until(lambda: len(started()) >= expected)
    inputs = [
        json.loads(client.describe_execution(executionArn=found["executionArn"])["input"])
        for found in started()
    ]
    return sorted(event["time"] for event in inputs)


@pytest.mark.parametrize("expression", ["rate(1 hour)", "cron(0 * * * ? *)"])
def test_a_rule_fires_once_for_every_time_that_the_clock_passes(
    aws: LocalAws, role: str, expression: str
) -> None:
    arn = schedule(aws, role, expression)
    aws.clock.move_to(NOW + timedelta(hours=2))
    assert times_fired(aws, arn, 2) == ["2026-03-01T13:00:00Z", "2026-03-01T14:00:00Z"]


def test_what_a_started_execution_starts_at_once_was_not_started_by_the_rule(
    aws: LocalAws, role: str
) -> None:
    arn, other = (schedule(aws, role, "rate(365 days)") for _ in range(2))
    client, bus = aws.client("stepfunctions"), service("eventbridge")
    invoke = bus._invoke_target

    def invoke_and_let_it_work(*arguments: Any) -> Any:
        answer = invoke(*arguments)
        client.start_execution(stateMachineArn=other)
        return answer

    with patch.object(bus, "_invoke_target", invoke_and_let_it_work):
        [started] = aws.fire(f"rule-{arn[-8:]}", NOW)

    assert client.describe_execution(executionArn=started)["stateMachineArn"] == arn


def test_a_disabled_rule_does_not_fire(aws: LocalAws, role: str) -> None:
    enabled = schedule(aws, role, "rate(1 hour)")
    disabled = schedule(aws, role, "rate(1 hour)", "DISABLED")
    aws.clock.move_to(NOW + timedelta(hours=1))
    assert len(times_fired(aws, enabled, 1)) == 1
    assert times_fired(aws, disabled, 0) == []


def test_a_function_is_invoked_every_time_that_the_clock_passes(aws: LocalAws) -> None:
    trusted = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}
    trust = {"Version": "2012-10-17", "Statement": [{**trusted, "Action": "sts:AssumeRole"}]}
    arn = create_function(
        aws, create_role(aws, "ticks", trust, [LOGS]), "ticks", "def handler(event, context): pass"
    )
    events = aws.client("events")
    events.put_rule(Name="hourly", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="hourly", Targets=[{"Id": "function", "Arn": arn}])
    aws.clock.advance(3 * 3600)
    wait_until(lambda: invocations(aws, "ticks") >= 3)
    assert invocations(aws, "ticks") == 3


def invocations(aws: LocalAws, function: str) -> float:
    dimensions = {"FunctionName": function}
    counted = aws.cloudwatch.stored_series("AWS/Lambda", "Invocations", dimensions, 3600, "Sum")
    return sum(counted.values())
