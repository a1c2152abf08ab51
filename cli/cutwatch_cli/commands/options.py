"""Options that commands share, and access to the deployed stack."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment

StackName = Annotated[
    str | None,
    typer.Option(
        "--stack",
        envvar="CUTWATCH_STACK",
        help="CloudFormation stack; default: that of samconfig.toml, or the region's only Cutwatch stack.",
        show_default=False,
    ),
]
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
DETECTORS_FILE = Path("functions/detectors.yaml")
BUILD = Path("build")
_TABLE_WIDTH = 160


@contextmanager
def deployed(stack: str | None, region: str | None, profile: str | None) -> Iterator["Deployment"]:
    """Find the stack; inside the block, errors of AWS end the command with one line."""
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch.errors import CutwatchError
    from cutwatch_cli.stacks.account import Account, explanation
    from cutwatch_cli.stacks.deployment import find_deployment
    from cutwatch_cli.stacks.refusal import Refused
    from cutwatch_cli.stacks.stack_name import deploy_config

    try:
        config = None if stack else deploy_config(Path())
        account = Account.reached_by(profile, region, config.region if config else None)
        region = account.region
        yield find_deployment(account, stack, config)
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
