"""A deployed stack: its outputs and resources, executions of its state machines, firings of its rules."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import uuid4

from localaws import schedules
from localaws.embedded_ministack import account_scope, service

# Short executions are found ended at once; looking as often at long ones would take from the work they wait for.
_POLL_SECONDS, _LONGEST_POLL_SECONDS, _POLL_GROWTH = 0.005, 0.1, 1.1
ClientFactory = Callable[[str], Any]


class ExecutionTimedOut(Exception):
    """An execution took longer than its observer was willing to wait."""


@dataclass(frozen=True)
class ExecutionResult:
    """The end of an execution."""

    status: str
    output: Any
    error: str | None
    cause: str | None


class Execution:
    """One execution of a state machine."""

    def __init__(self, stepfunctions: Any, arn: str) -> None:
        self._stepfunctions = stepfunctions
        self.arn = arn

    def wait(self, timeout: float = 300.0) -> ExecutionResult:
        """Wait, at most `timeout` real seconds, until it ends."""
        deadline = time.monotonic() + timeout
        pause = _POLL_SECONDS
        while self._runs():
            if time.monotonic() > deadline:
                raise ExecutionTimedOut(f"{self.arn} still runs after {timeout} s")
            time.sleep(pause)
            pause = min(pause * _POLL_GROWTH, _LONGEST_POLL_SECONDS)
        described = self._stepfunctions.describe_execution(executionArn=self.arn)
        output = described.get("output")
        return ExecutionResult(
            described["status"],
            None if output is None else json.loads(output),
            described.get("error"),
            described.get("cause"),
        )

    def _runs(self) -> bool:
        with account_scope(self.arn.split(":")[3]):
            record = service("stepfunctions")._executions.get(self.arn)
        return record is not None and record["status"] == "RUNNING"

    @property
    def history(self) -> list[dict[str, Any]]:
        """Every event so far, oldest first."""
        pages = self._stepfunctions.get_paginator("get_execution_history").paginate(
            executionArn=self.arn
        )
        return [event for page in pages for event in page["events"]]

    @property
    def states(self) -> list[str]:
        """The names of the states entered, in order."""
        return [
            event["stateEnteredEventDetails"]["name"]
            for event in self.history
            if "stateEnteredEventDetails" in event
        ]

    @property
    def children(self) -> list["Execution"]:
        """The child executions of its distributed Maps, in the order in which they started."""
        runs = self._stepfunctions.list_map_runs(executionArn=self.arn)["mapRuns"]
        pages = (
            page
            for run in runs
            for page in self._stepfunctions.get_paginator("list_executions").paginate(
                mapRunArn=run["mapRunArn"]
            )
        )
        found = [child for page in pages for child in page["executions"]]
        found.sort(key=lambda child: child["startDate"])
        return [Execution(self._stepfunctions, child["executionArn"]) for child in found]


class Stack:
    """A stack that has been deployed."""

    def __init__(self, client: ClientFactory, region: str, name: str) -> None:
        self.name = name
        self._region = region
        self._cloudformation = client("cloudformation")
        self._stepfunctions = client("stepfunctions")

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        stack = self._cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    @cached_property
    def resources(self) -> Mapping[str, str]:
        """Physical ids by logical ids."""
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(
            StackName=self.name
        )
        return {
            resource["LogicalResourceId"]: resource["PhysicalResourceId"]
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def physical_id(self, logical_id: str) -> str:
        return self.resources[logical_id]

    def start(
        self, state_machine: str, payload: Mapping[str, Any], *, name: str | None = None
    ) -> Execution:
        """Start an execution of the state machine with this logical id."""
        started = self._stepfunctions.start_execution(
            stateMachineArn=self.physical_id(state_machine),
            name=name or str(uuid4()),
            input=json.dumps(payload),
        )
        return Execution(self._stepfunctions, started["executionArn"])

    def fire(self, rule: str, at: datetime) -> list[Execution]:
        """Fire the scheduled rule with this logical id as EventBridge would at that time; what it started."""
        started = schedules.fire(self.physical_id(rule), at, self._region)
        return [Execution(self._stepfunctions, arn) for arn in started]
