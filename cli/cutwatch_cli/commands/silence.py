"""`cutwatch silence`: suppress the notifications of a detector's events or a stream's incidents for a while."""

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.joined_streams import joined_streams
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    show,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cutwatch.registry.silences import Silence
    from cutwatch_cli.stacks.deployment import Deployment

_LONGEST = timedelta(days=90)
_LONGEST_REASON = 200


def silence(
    detector: Annotated[
        str | None, typer.Argument(help="Detector or stream to silence.", show_default=False)
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TIME",
            help="Duration, such as 1w, 3d, 12h or 90m; at most 90d.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Reason, for other operators.", show_default=False)
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="List the active silences.")] = False,
    lift: Annotated[
        str | None,
        typer.Option(
            metavar="DETECTOR", help="End the silence of a detector or stream.", show_default=False
        ),
    ] = None,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Suppress notifications of a detector or stream. Metrics and failure notifications continue."""
    if [detector is not None, listing, lift is not None].count(True) != 1:
        end(
            "expected one of DETECTOR with --for and --reason, --list, or --lift DETECTOR",
            USAGE_ERROR,
        )
    if detector is None and (span or reason):
        end("--for and --reason require DETECTOR", USAGE_ERROR)
    wanted_for = _wanted(detector, span, reason) if detector else None
    with deployed(stack, region, profile) as deployment:
        now = deployment.now
        wanted = wanted_for(now) if wanted_for else None
        if wanted:
            _begin(deployment, wanted, now)
        elif lift:
            _lift(deployment, lift, now)
        shown = [wanted] if wanted else _in_force(deployment, now) if listing else []
    _show(shown, as_json=as_json, message=f"{lift} is no longer silenced." if lift else None)


def _wanted(detector: str, span: str | None, reason: str | None) -> "Callable[[datetime], Silence]":
    """Check a silence before any call; return it as a function of the account's time."""
    from cutwatch.registry.silences import Silence
    from cutwatch_cli.stacks.durations import parse_duration

    if span is None or not (reason or "").strip():
        end(f"silence {detector}: --for and --reason are required", USAGE_ERROR)
    try:
        duration = parse_duration(span, "--for")
    except ValueError as error:
        end(str(error), USAGE_ERROR)
    if duration > _LONGEST:
        end(f"--for {span}: expected at most {_LONGEST.days}d", USAGE_ERROR)
    words = " ".join((reason or "").split())
    if len(words) > _LONGEST_REASON:
        end(f"--reason: {len(words)} characters; expected at most {_LONGEST_REASON}", USAGE_ERROR)
    return lambda now: Silence(detector, now, now + duration, words)


def _begin(deployment: "Deployment", wanted: "Silence", now: datetime) -> None:
    from cutwatch_cli.stacks.deployment import check_known
    from cutwatch_cli.stacks.run_history import known_names

    registry = deployment.registry
    streams = {each.stream for each in joined_streams(deployment)}
    if wanted.detector not in streams:
        kind = "detector or stream" if streams else "detector"
        known = known_names(registry, deployment.bucket, now) | streams
        check_known([wanted.detector], known, kind=kind)
    registry.silences.record(wanted)


def _lift(deployment: "Deployment", detector: str, now: datetime) -> None:
    from cutwatch_cli.stacks.deployment import check_known

    silenced = [each.detector for each in _in_force(deployment, now)]
    check_known([detector], silenced, kind="silenced detector")
    deployment.registry.silences.lift(detector)


def _in_force(deployment: "Deployment", now: datetime) -> list["Silence"]:
    from cutwatch.registry.silences import in_force

    return in_force(deployment.registry.silences.all(), now)


def _show(silences: list["Silence"], *, as_json: bool, message: str | None) -> None:
    from rich.table import Table

    if as_json:
        written = [{"detector": item.pop("sk"), **item} for item in map(_item, silences)]
        typer.echo(json.dumps(written, indent=2))
    elif not silences:
        typer.echo(message or "No detector or stream is silenced.")
    else:
        table = Table(
            "Detector or stream",
            "Silenced until (UTC)",
            "Since",
            "Reason",
            box=None,
            pad_edge=False,
        )
        for each in silences:
            times = (f"{time:%Y-%m-%d %H:%M}" for time in (each.until, each.since))
            table.add_row(each.detector, *times, each.reason)
        show(table)


def _item(silence: "Silence") -> dict[str, str]:
    return {name: value for name, value in silence.to_item().items() if name != "expires_at"}
