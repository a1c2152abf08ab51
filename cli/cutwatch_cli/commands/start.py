"""`cutwatch start`: a training or a transform now."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from cutwatch_cli.commands.options import (
    FINE,
    MISTAKE,
    PROBLEMS,
    STACK,
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    end,
    note,
)

if TYPE_CHECKING:
    from cutwatch.registry.run import Kind
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.started_run import Progress, StartedRun, Verdict


def start(
    kind: Annotated[str, typer.Argument(metavar="training|transform", help="What to start.")],
    detector: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this one; repeatable.", show_default=False),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="The names may be ones that no run has met yet.")
    ] = False,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Repeat the run of this scheduled time, such as 2026-11-02T04:00:00Z; by default now.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch it until it ends.")] = False,
    stack: StackName = STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Start a run as its schedule would; with --wait, exit code 1 if anything failed."""
    from cutwatch.registry.run import Kind
    from cutwatch_cli.stacks import started_run

    if kind not in get_args(Kind):
        end(f"start {kind}: expected training or transform", MISTAKE)
    at = _scheduled(time)
    with deployed(stack, region, profile) as deployment:
        if detector and not new:
            _check(deployment, detector)
        started = started_run.start(deployment, cast("Kind", kind), detector or [], at)
        note(f"started {started.run}; {started.execution}")
        verdict = _watched(deployment, started) if wait else None
    if as_json:
        typer.echo(json.dumps(asdict(started) | (asdict(verdict) if verdict else {}), indent=2))
    else:
        typer.echo("\n".join(verdict.lines()) if verdict else started.run)
    raise typer.Exit(FINE if verdict is None or verdict.fine else PROBLEMS)


def _scheduled(text: str | None) -> datetime | None:
    from cutwatch.errors import InvalidInput
    from cutwatch.timestamps import parse_timestamp

    if text is None:
        return None
    try:
        at = parse_timestamp(text, "--time")
    except InvalidInput as error:
        end(str(error), MISTAKE)
    if at > datetime.now(UTC):
        end(f"--time {text} is in the future; expected a time that has passed", MISTAKE)
    return at


def _check(deployment: "Deployment", detectors: list[str]) -> None:
    from cutwatch_cli.stacks.deployment import check_known
    from cutwatch_cli.stacks.run_history import known_names

    known = known_names(deployment.registry, deployment.bucket, datetime.now(UTC))
    hint = " (--new starts what no run has met yet)"
    check_known(detectors, known, hint=hint)


def _watched(deployment: "Deployment", started: "StartedRun") -> "Verdict":
    """With what is done so far on stderr: in place on a terminal, a line for each change elsewhere."""
    from rich.console import Console

    from cutwatch_cli.stacks.started_run import wait

    console = Console(stderr=True, highlight=False)
    told: set[str] = set()
    with console.status("waiting for the list of detectors") as display:

        def show(progress: "Progress") -> None:
            line = f"{progress.what}: {progress.done} of {progress.total} detectors have an outcome"
            if console.is_terminal:
                display.update(line)
            elif line not in told:
                note(line)
                told.add(line)

        try:
            return wait(deployment, started, show)
        except KeyboardInterrupt:
            end(f"stopped watching; {started.run} goes on", PROBLEMS)
