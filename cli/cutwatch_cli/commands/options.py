"""Options that commands share, and access to the deployed stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment

StackName = Annotated[str, typer.Option("--stack", help="Name of the CloudFormation stack.")]
Region = Annotated[
    str | None,
    typer.Option("--region", help="AWS Region; default: the profile's.", show_default=False),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", help="Profile of the AWS configuration.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DetectorsFile = Annotated[Path, typer.Option("--detectors", help="Detectors file.")]
STACK = "cutwatch"
DETECTORS_FILE = Path("functions/detectors.yaml")
BUILD = Path("build")
_TABLE_WIDTH = 130


@contextmanager
def deployed(stack: str, region: str | None, profile: str | None) -> Iterator["Deployment"]:
    """Find the stack; inside the block, errors of AWS end the command with one line."""
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch.errors import CutwatchError
    from cutwatch_cli.stacks.account import Account, explanation
    from cutwatch_cli.stacks.deployment import Refused, find_deployment

    try:
        account = Account.reached_by(profile, region)
        region = account.region
        yield find_deployment(account, stack)
    except (Refused, CutwatchError) as error:
        end(str(error), USAGE_ERROR)
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, region), USAGE_ERROR)


def show(renderable: Any) -> None:
    """Print a table without cutting its columns to a narrow terminal."""
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(renderable)
