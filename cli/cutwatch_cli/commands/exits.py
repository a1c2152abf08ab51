"""Exit codes of commands, and messages on stderr."""

from collections.abc import Sequence
from typing import NoReturn

import typer

SUCCESS, FAILURE, USAGE_ERROR = 0, 1, 2


def note(message: str) -> None:
    """Print a message to stderr; stdout has only the command's result."""
    typer.echo(f"cutwatch: {message}", err=True)


def end(message: str, code: int) -> NoReturn:
    """Print a message to stderr and exit."""
    note(message)
    raise typer.Exit(code)


def check_choice(option: str, given: str, allowed: Sequence[str]) -> None:
    """Exit unless the option's value is allowed."""
    if given not in allowed:
        end(f"{option} {given}: expected one of {', '.join(allowed)}", USAGE_ERROR)
