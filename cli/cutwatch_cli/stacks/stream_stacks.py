"""Stacks of streams that join a base stack, recognised by their outputs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

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
    def source(self) -> str:
        """ARN of the stream."""
        return self.outputs["StreamArn"]

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


_Stack = TypeVar("_Stack", bound=StreamStack)


def stream_stacks(account: Account, base: str) -> list[StreamStack]:
    """Return the region's stream stacks that join a base stack, in the order of their streams."""
    return joined_stacks(account, base, STREAM_OUTPUTS, StreamStack)


def joined_stacks(
    account: Account, base: str, outputs: frozenset[str], kind: type[_Stack]
) -> list[_Stack]:
    """Return the region's stacks with these outputs that join a base stack, in the order of their entries."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    every = (_read(stack, kind) for page in pages for stack in page["Stacks"])
    found = (
        each
        for each in every
        if each.outputs.keys() >= outputs and each.outputs["BaseStack"] == base
    )
    return sorted(found, key=lambda each: (each.stream, each.name))


def _read(stack: Mapping[str, Any], kind: type[_Stack]) -> _Stack:
    return kind(
        stack["StackName"],
        stack["StackStatus"],
        {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())},
        {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())},
    )
