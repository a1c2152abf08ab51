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

_FUNCTIONS = ("ScoreFunction", "CloseWindowsFunction", "ReportFunction", "TrainFunction")


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
    def is_of_kafka(self) -> bool:
        """True if the stream is a Kafka topic."""
        return self.outputs["StreamArn"].startswith("kafka:")

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the scoring function, of the function that closes windows, and of a log's others."""
        return tuple(self.outputs[name] for name in _FUNCTIONS if name in self.outputs)

    @property
    def log_group(self) -> str:
        """The log group of the functions."""
        return self.outputs["FunctionsLogGroupName"]

    @property
    def longest_wait(self) -> int:
        """Age of records in seconds that raises the alarm of a Kinesis stream's stack."""
        return int(self.parameters["IteratorAgeAlarmSeconds"])

    @property
    def most_waiting(self) -> int:
        """Number of waiting records that raises the alarm of a Kafka stream's stack."""
        return int(self.parameters["OffsetLagAlarmRecords"])


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
