"""`cutwatch logs`: the functions' log lines of one run, of one stream or table, or of live detection."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end
from cutwatch_cli.commands.joined_streams import joined_sources
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
)
from cutwatch_cli.commands.time_range import TimeRange, look_back

if TYPE_CHECKING:
    from cutwatch_cli.stacks.deployment import Deployment
    from cutwatch_cli.stacks.joined_stacks import JoinedStack

_STREAM_SINCE = "1h"


def logs(
    name: Annotated[
        str,
        typer.Argument(
            metavar="EXECUTION_OR_RUN_OR_STREAM",
            help="Run, such as transform-20261102T040000Z, the ARN or name of an execution, a stream or table, or `live`.",
        ),
    ],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Time to look back for a stream, a table or live detection, such as 2d, 12h or 90m; default: 1h.",
            show_default=False,
        ),
    ] = None,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Print the log lines of a run, stream, table or `live`.

    Those of a run include those of the training that a transform started, and end with the reason for each detector that
    was neither trained nor published. Those of a stream or table say for each batch how many records were scored, late or
    rejected; counts of zero, and invocations without records, are left out. Those of live detection say for each bucket how
    many detectors were scored, and why one was not. Exit code 1 if there are none.
    """
    from cutwatch.registry.incident_claims import LIVE
    from cutwatch_cli.stacks.run_history import parse_run

    span = look_back(since or _STREAM_SINCE)
    with deployed(stack, region, profile) as deployment:
        streams = [] if parse_run(name) else joined_sources(deployment)
        joined: JoinedStack | None = next((each for each in streams if each.stream == name), None)
        if joined is None and name == LIVE:
            joined = _live_stack(deployment)
        if joined:
            shown = TimeRange.until(deployment.now, span)
            _print_joined(deployment, joined, shown, as_json=as_json)
        elif since is not None:
            end(
                f"--since is for streams, tables and live detection, and {name!r} is none of them in stack {deployment.stack!r}",
                USAGE_ERROR,
            )
        else:
            _print_run(deployment, name, as_json=as_json)


def _live_stack(deployment: "Deployment") -> "JoinedStack":
    from cutwatch_cli.stacks.live_stack import live_stack

    found = live_stack(deployment.account, deployment.stack)
    if found is None:
        end(
            f"no stack of live detection joins stack {deployment.stack!r}; docs/live.md says how to deploy one",
            FAILURE,
        )
    return found


def _print_joined(
    deployment: "Deployment", stack: "JoinedStack", shown: TimeRange, *, as_json: bool
) -> None:
    from cutwatch_cli.stacks.run_logs import read_lines
    from cutwatch_cli.stacks.stream_logs import is_idle, stream_text

    lines = read_lines(deployment.account, stack.log_group, shown.start)
    if not lines:
        end(f"no log lines {shown} in {stack.log_group}", FAILURE)
    for line in lines:
        if as_json:
            typer.echo(json.dumps(line.fields))
        elif not is_idle(line):
            typer.echo(stream_text(line, stack.name))


def _print_run(deployment: "Deployment", run: str, *, as_json: bool) -> None:
    from cutwatch_cli.stacks.run_logs import find_run, log_lines, reasons
    from cutwatch_cli.stacks.started_run import verdict

    wanted = find_run(deployment, run)
    lines = log_lines(deployment, wanted)
    if not lines:
        end(f"no log lines of {wanted.run} in {deployment.log_group}", FAILURE)
    for line in lines:
        typer.echo(json.dumps(line.fields) if as_json else line.text(deployment.stack))
    if as_json:
        return
    for reason in reasons(deployment, wanted):
        typer.echo(reason)
    if wanted.ending and wanted.ending["status"] != "RUNNING":
        typer.echo("\n".join(verdict(dict(wanted.ending)).lines()))
