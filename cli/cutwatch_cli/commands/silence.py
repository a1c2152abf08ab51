"""`cutwatch silence`: no notifications of a detector's events for a while."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.options import (
    MISTAKE,
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
    from cutwatch.registry.silences import Silence
    from cutwatch_cli.stacks.deployment import Deployment

_LONGEST = timedelta(days=90)
_LONGEST_REASON = 200


def silence(
    detector: Annotated[str | None, typer.Argument(help="Whom.", show_default=False)] = None,
    span: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="TIME",
            help="How long, such as 3d, 12h or 90m; at most 90d.",
            show_default=False,
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option(help="Why, for whoever is on call next.", show_default=False)
    ] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show who is silenced.")] = False,
    lift: Annotated[
        str | None,
        typer.Option(metavar="DETECTOR", help="End a silence at once.", show_default=False),
    ] = None,
    stack: StackName = STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Tell nobody of a detector's events for a while; its metrics and failures go on, and nothing is told later."""
    if [detector is not None, listing, lift is not None].count(True) != 1:
        end("give one of DETECTOR with --for and --reason, --list, --lift DETECTOR", MISTAKE)
    if detector is None and (span or reason):
        end("--for and --reason go with DETECTOR", MISTAKE)
    now = datetime.now(UTC)
    wanted = _wanted(detector, span, reason, now) if detector else None
    with deployed(stack, region, profile) as deployment:
        if wanted:
            _begin(deployment, wanted, now)
        elif lift:
            _lift(deployment, lift, now)
        shown = [wanted] if wanted else _in_force(deployment, now) if listing else []
    _show(shown, as_json=as_json, said=f"{lift} is no longer silenced." if lift else None)


def _wanted(detector: str, span: str | None, reason: str | None, now: datetime) -> "Silence":
    from cutwatch.registry.silences import Silence
    from cutwatch_cli.stacks.durations import parse_duration

    if span is None or not (reason or "").strip():
        end(f"silence {detector}: --for and --reason are needed", MISTAKE)
    try:
        lasting = parse_duration(span, "--for")
    except ValueError as error:
        end(str(error), MISTAKE)
    if lasting > _LONGEST:
        end(f"--for {span}: at most {_LONGEST.days}d, so that no silence is forgotten", MISTAKE)
    words = " ".join((reason or "").split())
    if len(words) > _LONGEST_REASON:
        end(f"--reason: at most {_LONGEST_REASON} characters", MISTAKE)
    since = now.replace(microsecond=0)
    return Silence(detector, since, since + lasting, words)


def _begin(deployment: "Deployment", wanted: "Silence", now: datetime) -> None:
    from cutwatch_cli.stacks.deployment import check_known
    from cutwatch_cli.stacks.run_history import known_names

    registry = deployment.registry
    check_known([wanted.detector], known_names(registry, deployment.bucket, now))
    registry.silences.record(wanted)


def _lift(deployment: "Deployment", detector: str, now: datetime) -> None:
    from cutwatch_cli.stacks.deployment import check_known

    silenced = [each.detector for each in _in_force(deployment, now)]
    check_known([detector], silenced, what="silenced detector")
    deployment.registry.silences.lift(detector)


def _in_force(deployment: "Deployment", now: datetime) -> list["Silence"]:
    from cutwatch.registry.silences import in_force

    return in_force(deployment.registry.silences.all(), now)


def _show(silences: list["Silence"], *, as_json: bool, said: str | None) -> None:
    from rich.table import Table

    if as_json:
        written = [{"detector": item.pop("sk"), **item} for item in map(_item, silences)]
        typer.echo(json.dumps(written, indent=2))
    elif not silences:
        typer.echo(said or "Nobody is silenced.")
    else:
        table = Table(
            "Detector", "Silenced until (UTC)", "Since", "Reason", box=None, pad_edge=False
        )
        for each in silences:
            moments = (f"{moment:%Y-%m-%d %H:%M}" for moment in (each.until, each.since))
            table.add_row(each.detector, *moments, each.reason)
        show(table)


def _item(silence: "Silence") -> dict[str, str]:
    return {name: value for name, value in silence.to_item().items() if name != "expires_at"}
