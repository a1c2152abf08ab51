"""`cutwatch start`: start a training or a transform."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from cutwatch_cli.commands.exits import FAILURE, SUCCESS, USAGE_ERROR, end, note
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
)

if TYPE_CHECKING:
    from cutwatch.registry.run import Kind
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.started_run import Progress, StartedRun, Verdict


def start(
    kind: Annotated[str, typer.Argument(metavar="training|transform", help="Kind of run.")],
    detector: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this detector; repeatable.", show_default=False),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Accept detectors that no run has included yet.")
    ] = False,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Scheduled time of a run to repeat, such as 2026-11-02T04:00:00Z; default: now.",
            show_default=False,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the run ends.")] = False,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Start a run as its schedule would. With --wait, exit code 1 if anything fails or nothing is done."""
    from cutwatch.registry.run import Kind
    from cutwatch_cli.stacks import started_run

    if kind not in get_args(Kind):
        end(f"start {kind}: expected training or transform", USAGE_ERROR)
    at = _scheduled(time)
    with deployed(stack, region, profile) as deployment:
        if at and at > deployment.now:
            end(f"--time {time} is in the future; expected a past time", USAGE_ERROR)
        if detector and not new:
            _check(deployment, detector)
        started = started_run.start(deployment, cast("Kind", kind), detector or [], at)
        note(f"started {started.run}; {started.execution}")
        verdict = _wait(deployment, started) if wait else None
    if as_json:
        typer.echo(json.dumps(asdict(started) | (asdict(verdict) if verdict else {}), indent=2))
    else:
        typer.echo("\n".join(_lines(verdict, deployment)) if verdict else started.run)
    if verdict and verdict.succeeded and verdict.idle:
        end(
            f"{started.run} trained and published nothing; see: cutwatch logs {started.run}",
            FAILURE,
        )
    raise typer.Exit(SUCCESS if verdict is None or verdict.succeeded else FAILURE)


def _lines(verdict: "Verdict", deployment: "Deployment") -> list[str]:
    from cutwatch_cli.stacks.failed_executions import build_remark

    lines = list(verdict.lines())
    remark = build_remark(lines, deployment.architecture)
    return [*lines, remark] if remark else lines


def _scheduled(text: str | None) -> datetime | None:
    from cutwatch.errors import InvalidInput
    from cutwatch.timestamps import parse_timestamp

    if text is None:
        return None
    try:
        return parse_timestamp(text, "--time")
    except InvalidInput as error:
        end(str(error), USAGE_ERROR)


def _check(deployment: "Deployment", detectors: list[str]) -> None:
    from cutwatch_cli.stacks.deployment import check_known
    from cutwatch_cli.stacks.run_history import known_names

    known = known_names(deployment.registry, deployment.bucket, deployment.now)
    hint = " (--new accepts detectors that no run has included yet)"
    check_known(detectors, known, hint=hint)


def _wait(deployment: "Deployment", started: "StartedRun") -> "Verdict":
    """Wait and show progress on stderr: in place on a terminal, else one line per change."""
    from rich.console import Console

    from cutwatch_cli.stacks.started_run import wait

    console = Console(stderr=True, highlight=False)
    printed: set[str] = set()
    with console.status("waiting for the list of detectors") as display:

        def show(progress: "Progress") -> None:
            line = f"{progress.stage}: {progress.done} of {progress.total} detectors done"
            if console.is_terminal:
                display.update(line)
            elif line not in printed:
                note(line)
                printed.add(line)

        try:
            return wait(deployment, started, show)
        except KeyboardInterrupt:
            end(f"stopped waiting; {started.run} continues", FAILURE)
