"""Choice of the stack: the named one, that of `samconfig.toml`, or the region's only Cutwatch stack."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from cutwatch_cli.stacks.account import LACKS_PERMISSION, Account, error_code
from cutwatch_cli.stacks.refusal import Refused

# The first that names a stack applies: personal settings are written over the shared ones.
CONFIG_FILES = ("samconfig.local.toml", "samconfig.toml")
# `sam deploy` reads a command's own table, then the table of all commands.
_TABLES = ("deploy", "global")
_ENVIRONMENT = "default"
# No other stack has all of them; a nested stack has none.
MARKING_OUTPUTS = frozenset(
    ("AnomalyNamespace", "DataBucketName", "RegistryTableName", "TransformStateMachineArn")
)
_NAME_ONE = "name one with --stack or CUTWATCH_STACK"


@dataclass(frozen=True)
class DeployConfig:
    """The stack and region to which `sam deploy` deploys, and the file that says so."""

    file: str
    stack: str
    region: str | None = None


def deploy_config(folder: Path) -> DeployConfig | None:
    """Read the default environment of the folder's configuration files. Raises `Refused` for an invalid file."""
    for name in CONFIG_FILES:
        settings = _deploy_settings(folder / name)
        if stack := settings.get("stack_name"):
            return DeployConfig(name, str(stack), settings.get("region"))
    return None


def only_stack(account: Account) -> str:
    """Return the name of the region's only Cutwatch stack. Raises `Refused`, which lists the stacks if there are several."""
    try:
        names = cutwatch_stacks(account)
    except ClientError as error:
        if error_code(error) in LACKS_PERMISSION:
            raise Refused(
                f"no stack is named, and these credentials may not list stacks; {_NAME_ONE}"
            ) from None
        raise
    if len(names) == 1:
        return names[0]
    if not names:
        raise Refused(
            f"no Cutwatch stack in region {account.region}; deploy one with: sam deploy, or choose another "
            "--region or --profile"
        )
    raise Refused(
        f"{len(names)} Cutwatch stacks in region {account.region}; {_NAME_ONE}: {', '.join(names)}"
    )


def candidates(account: Account) -> str:
    """Return the region's Cutwatch stacks as the end of a message; empty where they cannot be listed."""
    try:
        names = cutwatch_stacks(account)
    except ClientError:
        return ""
    there = f"Cutwatch stacks there: {', '.join(names)}" if names else "no Cutwatch stack is there"
    return f"; {there}"


def cutwatch_stacks(account: Account) -> list[str]:
    """Return the names of the region's Cutwatch stacks, recognised by their outputs, in alphabetical order."""
    pages = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    return sorted(
        stack["StackName"]
        for page in pages
        for stack in page["Stacks"]
        if _output_names(stack.get("Outputs", ())) >= MARKING_OUTPUTS
    )


def _output_names(outputs: Iterable[Mapping[str, str]]) -> set[str]:
    return {output["OutputKey"] for output in outputs}


def _deploy_settings(path: Path) -> Mapping[str, Any]:
    """Return the parameters of `sam deploy`; none where there is no file."""
    try:
        environment = tomllib.loads(path.read_text(encoding="utf-8")).get(_ENVIRONMENT, {})
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise Refused(f"{path.name} cannot be read: {error}; {_NAME_ONE}") from None
    found: dict[str, Any] = {}
    for table in reversed(_TABLES):
        found |= environment.get(table, {}).get("parameters", {})
    return found
