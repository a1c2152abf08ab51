"""`cutwatch watch`: live detectors in the terminal."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutwatch_cli.commands.exits import FAILURE, end
from cutwatch_cli.commands.options import Profile, Region, StackName, deployed

if TYPE_CHECKING:
    from rich.console import Console

    from cutwatch_cli.stacks.deployment import Deployment


def watch(
    every: Annotated[int, typer.Option(min=1, help="Seconds between two looks.")] = 10,
    once: Annotated[bool, typer.Option("--once", help="Print once and exit.")] = False,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Watch live detectors and their incidents.

    Detectors with an incident or a problem come first; a terminal shows as many as it has lines. Ctrl-C ends.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    with deployed(stack, region, profile) as deployment:
        screen = _screen(deployment, None if once else console)
        if screen is None:
            end("no live detectors; docs/live.md says how to deploy them", FAILURE)
        if once:
            console.print(screen)
            return
        try:
            _show(console, screen, _screens(deployment, console, every))
        except KeyboardInterrupt:
            return


def _show(console: "Console", first: Any, screens: Iterator[Any]) -> None:
    """Show one screen in the place of the other; where the output is not a terminal, one after the other."""
    from rich.live import Live

    if not console.is_terminal:
        console.print(first)
        for screen in screens:
            console.print(screen)
        return
    with Live(first, console=console, auto_refresh=False, screen=True) as shown:
        for screen in screens:
            shown.update(screen, refresh=True)


def _screens(deployment: "Deployment", console: "Console", every: int) -> Iterator[Any]:
    """Yield what there is to see, every few seconds; why it cannot be read, if it cannot."""
    from botocore.exceptions import BotoCoreError, ClientError
    from rich.text import Text

    from cutwatch.errors import CutwatchError
    from cutwatch_cli.stacks.account import explanation
    from cutwatch_cli.stacks.deployment import find_deployment
    from cutwatch_cli.stacks.refusal import Refused

    account = deployment.account
    while True:
        time.sleep(every)
        try:
            screen = _screen(find_deployment(account, deployment.stack), console)
        except (Refused, CutwatchError) as error:
            yield Text(f"{error}; trying again every {every} s", style="red")
        except (BotoCoreError, ClientError) as error:
            reason = explanation(error, account.region)
            yield Text(f"{reason}; trying again every {every} s", style="red")
        else:
            yield screen or Text("no live detectors any more")


def _screen(deployment: "Deployment", console: "Console | None") -> Any:
    """Return what there is to see, as many lines as the terminal has; None without live detectors."""
    from cutwatch_cli.stacks.live_detectors import live_detectors, recent_incidents
    from cutwatch_cli.stacks.live_screen import live_screen

    found = live_detectors(deployment.bucket)
    if not found:
        return None
    events = recent_incidents(deployment.registry, found, deployment.now)
    lines = console.height if console and console.is_terminal else None
    return live_screen(deployment.stack, deployment.now, found, events, lines)
