"""Small state machines for tests."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from localaws import Execution, LocalAws


def create_machine(aws: LocalAws, role: str, definition: Mapping[str, Any]) -> str:
    created = aws.client("stepfunctions").create_state_machine(
        name=f"machine-{uuid4()}", definition=json.dumps(definition), roleArn=role
    )
    return str(created["stateMachineArn"])


def start(aws: LocalAws, arn: str, payload: Any = None) -> Execution:
    client = aws.client("stepfunctions")
    started = client.start_execution(stateMachineArn=arn, input=json.dumps(payload or {}))
    return Execution(client, started["executionArn"])


def run(aws: LocalAws, role: str, definition: Mapping[str, Any], payload: Any = None) -> Execution:
    """Create a machine, start it, wait for it to end."""
    execution = start(aws, create_machine(aws, role, definition), payload)
    execution.wait()
    return execution


def task(arn: str, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": arn, "End": True, **fields}


def machine(**states: Any) -> dict[str, Any]:
    """A machine of these states, which starts at the first."""
    return {"StartAt": next(iter(states)), "States": states}
