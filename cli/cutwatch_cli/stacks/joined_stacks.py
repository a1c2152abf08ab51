"""Stacks that join a base stack, recognised by their outputs."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cutwatch_cli.stacks.account import Account

Joined = TypeVar("Joined", bound="JoinedStack")


@dataclass(frozen=True)
class JoinedStack:
    """A stack that joins a base stack: its name, its status in CloudFormation, its outputs and parameters."""

    name: str
    status: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def log_group(self) -> str:
        """The log group of its functions."""
        return self.outputs["FunctionsLogGroupName"]


def joined_stacks(
    account: Account, base: str, outputs: Collection[str], kind: type[Joined]
) -> list[Joined]:
    """Return the region's stacks that join a base stack and have all of these outputs."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    every = (_read(stack, kind) for page in pages for stack in page["Stacks"])
    return [
        each
        for each in every
        if each.outputs.keys() >= set(outputs) and each.outputs["BaseStack"] == base
    ]


def _read(stack: Mapping[str, Any], kind: type[Joined]) -> Joined:
    return kind(
        stack["StackName"],
        stack["StackStatus"],
        {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())},
        {each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())},
    )
