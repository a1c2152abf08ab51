"""`cutwatch events`: recent events of detectors and incidents of streams and tables of a deployed stack."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.joined_streams import joined_sources
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    show,
)
from cutwatch_cli.commands.time_range import Since, TimeRange, check_scored, look_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutwatch.delivery.incident_store import RecordedIncident
    from cutwatch.registry.event_record import RecordedEvent


def events(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME",
            help="Detectors, streams and tables to list; default: all.",
            show_default=False,
        ),
    ] = None,
    since: Since = "7d",
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """List recent events and incidents, newest first.

    Exit code 1 if no transform ran in that time, unless only streams and tables are listed.
    """
    from cutwatch.delivery.incident_store import IncidentStore

    span = look_back(since)
    with deployed(stack, region, profile) as deployment:
        shown = TimeRange.until(deployment.now, span)
        recorded = IncidentStore(deployment.table).between(shown.start, shown.now)
        streams = {each.stream for each in joined_sources(deployment)}
        streams |= {each.stream for each in recorded}
        check_scored(deployment, names or [], streams, shown)
        every = deployment.registry.events.between(shown.start, shown.now)
    found = [each for each in every if not names or each.detector in names]
    incidents = [each for each in recorded if not names or each.stream in names]
    if as_json:
        typer.echo(json.dumps(_payloads(found, incidents, deployment.stack), indent=2))
    elif found or incidents:
        _show(found, incidents)
    else:
        typer.echo(f"No events {shown}.")


def _payloads(
    events: "Sequence[RecordedEvent]", incidents: "Sequence[RecordedIncident]", stack: str
) -> list[dict[str, object]]:
    """Return events and incidents together, newest first."""
    from cutwatch_cli.stacks.recent_events import event_payload
    from cutwatch_cli.stacks.recent_incidents import begins, incident_payload

    timed = [
        *((each.event.begins, event_payload(each)) for each in events),
        *((begins(each.incident), incident_payload(each, stack)) for each in incidents),
    ]
    return [payload for _, payload in sorted(timed, key=lambda each: each[0], reverse=True)]


def _show(events: "Sequence[RecordedEvent]", incidents: "Sequence[RecordedIncident]") -> None:
    from cutwatch_cli.stacks.recent_events import events_table
    from cutwatch_cli.stacks.recent_incidents import incidents_table

    if events:
        show(events_table(events))
    if events and incidents:
        typer.echo()
    if incidents:
        show(incidents_table(incidents))
