"""Histories of executions: every event follows another, and a Map Run has a beginning and an end."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws

MAP = {
    "StartAt": "Each",
    "States": {
        "Each": {
            "Type": "Map",
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Nothing",
                "States": {"Nothing": {"Type": "Pass", "End": True}},
            },
            "End": True,
        }
    },
}


def history(aws: LocalAws, role: str) -> list[dict[str, Any]]:
    states = aws.client("stepfunctions")
    machine = states.create_state_machine(name="each", definition=json.dumps(MAP), roleArn=role)
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"], input="[1, 2]")
    arn = started["executionArn"]
    while states.describe_execution(executionArn=arn)["status"] == "RUNNING":
        pass
    events: list[dict[str, Any]] = states.get_execution_history(executionArn=arn)["events"]
    return events


def test_events_are_linked_and_tell_of_the_map_run(aws: LocalAws, role: str) -> None:
    events = history(aws, role)
    assert [(event["type"], event["previousEventId"]) for event in events] == [
        ("ExecutionStarted", 0),
        ("MapStateEntered", 0),
        ("MapRunStarted", 2),
        ("MapRunSucceeded", 3),
        ("MapStateExited", 4),
        ("ExecutionSucceeded", 5),
    ]
    assert ":mapRun:each/" in events[2]["mapRunStartedEventDetails"]["mapRunArn"]


def test_executions_of_an_unknown_state_machine_are_refused(aws: LocalAws) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:stateMachine:nowhere"
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        aws.client("stepfunctions").list_executions(stateMachineArn=arn)
