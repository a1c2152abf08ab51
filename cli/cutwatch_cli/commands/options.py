"""The options that all of an operator's commands share, and how they end."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment

FINE, PROBLEMS, MISTAKE = 0, 1, 2

StackName = Annotated[str, typer.Option("--stack", help="Name of the CloudFormation stack.")]
Region = Annotated[
    str | None,
    typer.Option("--region", help="By default the credentials' own.", show_default=False),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", help="Profile of the AWS configuration.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Everything for another program.")]
STACK = "cutwatch"
_TABLE_WIDTH = 130


@contextmanager
def deployed(stack: str, region: str | None, profile: str | None) -> Iterator["Deployment"]:
    """The stack, for as long as a command works with it. What AWS refuses ends the command in one line."""
    from botocore.exceptions import BotoCoreError, ClientError

    from cutwatch.errors import CutwatchError
    from cutwatch_cli.stacks.account import Account, explanation
    from cutwatch_cli.stacks.deployment import Refused, find_deployment

    try:
        account = Account.reached_by(profile, region)
        region = account.region
        yield find_deployment(account, stack)
    except (Refused, CutwatchError) as error:
        end(str(error), MISTAKE)
    except (BotoCoreError, ClientError) as error:
        end(explanation(error, region), MISTAKE)


def note(message: str) -> None:
    """To stderr, so that stdout stays what was asked for."""
    typer.echo(f"cutwatch: {message}", err=True)


def end(message: str, code: int) -> NoReturn:
    """One line, and out."""
    note(message)
    raise typer.Exit(code)


def show(renderable: Any) -> None:
    """A table, never so narrow that it says less."""
    console = Console(highlight=False, markup=False)
    console.width = max(console.width, _TABLE_WIDTH)
    console.print(renderable)
