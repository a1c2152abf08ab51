"""Stacks of streams that join a base stack, recognised by their outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cutwatch_cli.stacks.account import Account

# No other stack has all of them.
STREAM_OUTPUTS = frozenset(
    (
        "BaseStack",
        "CloseWindowsFunction",
        "FunctionsLogGroupName",
        "LostRecordsQueueUrl",
        "RejectedRecordsQueueUrl",
        "ScoreFunction",
        "StreamArn",
        "StreamName",
    )
)


@dataclass(frozen=True)
class StreamStack:
    """The stack of one stream: its name, its status in CloudFormation, its outputs and parameters."""

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def stream(self) -> str:
        """Name of the stream's entry in `detectors.yaml`."""
        return self.outputs["StreamName"]

    @property
    def functions(self) -> tuple[str, str]:
        """Names of the scoring function and of the function that closes windows."""
        return self.outputs["ScoreFunction"], self.outputs["CloseWindowsFunction"]

    @property
    def log_group(self) -> str:
        """The log group of both functions."""
        return self.outputs["FunctionsLogGroupName"]

    @property
    def longest_wait(self) -> int:
        """Age of records in seconds that raises the stack's alarm."""
        return int(self.parameters["IteratorAgeAlarmSeconds"])


def stream_stacks(account: Account, base: str) -> list[StreamStack]:
    """Return the region's stream stacks that join a base stack, in the order of their streams."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    every = (_read(stack) for page in pages for stack in page["Stacks"])
    found = (
        each
        for each in every
        if each.outputs.keys() >= STREAM_OUTPUTS and each.outputs["BaseStack"] == base
    )
    return sorted(found, key=lambda each: (each.stream, each.name))


def _read(stack: Mapping[str, Any]) -> StreamStack:
    return StreamStack(
        stack["StackName"],
        stack["StackStatus"],
        {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())},
        {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())},
    )
