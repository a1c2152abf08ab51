"""`cutwatch events`: what was found lately."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.options import (
    MISTAKE,
    PROBLEMS,
    STACK,
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    end,
    show,
)

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment


def events(
    detectors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DETECTOR]...", help="By default all.", show_default=False),
    ] = None,
    since: Annotated[
        str, typer.Option(help="How far back, such as 7d, 12h or 90m.", metavar="TIME")
    ] = "7d",
    stack: StackName = STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List recent events, newest first; exit code 1 if no transform ran in that time."""
    from cutwatch_cli.stacks.durations import parse_duration
    from cutwatch_cli.stacks.recent_events import event_payload, events_table

    now = datetime.now(UTC)
    try:
        earliest = now - parse_duration(since, "--since")
    except (ValueError, OverflowError) as error:
        end(str(error), MISTAKE)
    with deployed(stack, region, profile) as deployment:
        check_asked(deployment, detectors or [], earliest, now)
        every = deployment.registry.events.between(earliest, now)
    found = [each for each in every if not detectors or each.detector in detectors]
    if as_json:
        typer.echo(json.dumps([event_payload(each) for each in found], indent=2))
    elif found:
        show(events_table(found))
    else:
        typer.echo(f"No events since {earliest:%Y-%m-%d %H:%M} UTC.")


def check_asked(
    deployment: "Deployment", detectors: list[str], earliest: datetime, now: datetime
) -> None:
    """That the detectors are known, and that a transform looked at this time: no event is no news otherwise."""
    from cutwatch_cli.stacks import run_history as history
    from cutwatch_cli.stacks.deployment import check_known

    registry, bucket = deployment.registry, deployment.bucket
    if detectors:
        check_known(detectors, history.known_names(registry, bucket, now))
    transforms = [run for run in history.past_runs(bucket) if run.kind == "transform"]
    if not any(run.scheduled >= earliest for run in transforms):
        newest = f"the newest is the {transforms[0].label} UTC" if transforms else "there is none"
        end(f"no transform ran since {earliest:%Y-%m-%d %H:%M} UTC; {newest}", PROBLEMS)
