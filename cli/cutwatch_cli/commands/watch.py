"""`cutwatch watch`: live detectors in the terminal."""

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cutwatch_cli.commands.exits import FAILURE, end
from cutwatch_cli.commands.options import Profile, Region, StackName, deployed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cutwatch.registry.event_record import RecordedEvent
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.live_detectors import LiveDetector

_SHOWN_EVENTS = 10
_DAY = timedelta(days=1)


def watch(
    every: Annotated[int, typer.Option(min=1, help="Seconds between two looks.")] = 10,
    once: Annotated[bool, typer.Option("--once", help="Print once and exit.")] = False,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Watch live detectors and their incidents."""
    from rich.console import Console
    from rich.live import Live

    from cutwatch_cli.stacks.deployment import find_deployment

    console = Console(highlight=False, markup=False)
    with deployed(stack, region, profile) as deployment:
        screen = _screen(deployment)
        if once:
            console.print(screen)
            return
        with Live(screen, console=console, auto_refresh=False, screen=True) as shown:
            while True:
                time.sleep(every)
                now = find_deployment(deployment.account, deployment.stack)
                shown.update(_screen(now), refresh=True)


def _screen(deployment: "Deployment") -> Any:
    from rich.console import Group
    from rich.text import Text

    from cutwatch.wording import count
    from cutwatch_cli.stacks.live_detectors import live_detectors

    now = deployment.now
    found = live_detectors(deployment.bucket)
    if not found:
        end("no live detectors; docs/live.md says how to deploy them", FAILURE)
    events = deployment.registry.events.between(now - _DAY, now)
    own = [each for each in events if each.detector in found][:_SHOWN_EVENTS]
    lasting = sum(each.incident is not None for each in found.values())
    head = f"{deployment.stack}, {now:%Y-%m-%d %H:%M:%S} UTC: {count(len(found), 'live detector')}, {count(lasting, 'incident')} now"
    return Group(Text(head), Text(), _detectors(found, now), Text(), _incidents(own, found))


def _detectors(found: "Mapping[str, LiveDetector]", now: datetime) -> Any:
    from rich.table import Table

    from cutwatch.wording import span_in_words
    from cutwatch_cli.stacks.live_detectors import severity_now, value_now

    table = Table(box=None, pad_edge=False)
    table.add_column("Detector", no_wrap=True, max_width=40)
    for heading in ("Through", "Value", "Severity", "Incident"):
        table.add_column(heading, no_wrap=True)
    ordered = sorted(found.values(), key=lambda each: (each.incident is None, each.name))
    for each in ordered:
        through = f"{span_in_words(now - each.through)} ago" if each.through else "waiting"
        incident = each.incident
        lasts = f"{incident.severity_word} since {incident.begins:%m-%d %H:%M}" if incident else ""
        table.add_row(
            each.name,
            through,
            value_now(each.newest),
            severity_now(each.newest),
            each.why_late(now) or lasts,
            style="red" if incident or each.problem else None,
        )
    return table


def _incidents(events: "list[RecordedEvent]", found: "Mapping[str, LiveDetector]") -> Any:
    from rich.table import Table

    from cutwatch.wording import severity_in_words, span_in_words

    table = Table(title="Incidents of the last day", title_justify="left", box=None, pad_edge=False)
    for heading in ("From", "Detector", "Severity", "Lasts"):
        table.add_column(heading, no_wrap=True)
    for each in events:
        live = found[each.detector].incident
        lasts = "now" if live and live.id == each.event.id else span_in_words(each.event.lasts)
        table.add_row(
            f"{each.event.begins:%m-%d %H:%M}", each.detector, severity_in_words(each.event), lasts
        )
    return table
