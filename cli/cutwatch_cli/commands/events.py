"""`cutwatch events`: recent events of a deployed stack."""

import json
from typing import Annotated

import typer

from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    show,
)
from cutwatch_cli.commands.time_range import Since, TimeRange, check_scored, look_back


def events(
    detectors: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DETECTOR", help="Detectors to list; default: all.", show_default=False
        ),
    ] = None,
    since: Since = "7d",
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List recent events, newest first. Exit code 1 if no transform ran in that time."""
    from cutwatch_cli.stacks.recent_events import event_payload, events_table

    span = look_back(since)
    with deployed(stack, region, profile) as deployment:
        shown = TimeRange.until(deployment.now, span)
        check_scored(deployment, detectors or [], shown)
        every = deployment.registry.events.between(shown.start, shown.now)
    found = [each for each in every if not detectors or each.detector in detectors]
    if as_json:
        typer.echo(json.dumps([event_payload(each) for each in found], indent=2))
    elif found:
        show(events_table(found))
    else:
        typer.echo(f"No events {shown}.")
