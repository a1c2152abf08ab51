"""`cutwatch logs`: what the functions logged of one run."""

import json
from typing import Annotated

import typer

from cutwatch_cli.commands.options import (
    PROBLEMS,
    STACK,
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
    end,
)


def logs(
    run: Annotated[
        str,
        typer.Argument(
            metavar="EXECUTION_OR_RUN",
            help="A run such as transform-20261102T040000Z, or an execution's ARN or name.",
        ),
    ],
    stack: StackName = STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Print the log lines of one run by time; exit code 1 if there are none."""
    from cutwatch_cli.stacks.run_logs import find_run, log_lines
    from cutwatch_cli.stacks.started_run import verdict

    with deployed(stack, region, profile) as deployment:
        wanted = find_run(deployment, run)
        lines = log_lines(deployment, wanted)
    if not lines:
        end(f"no log line of {wanted.run} in {deployment.log_group}", PROBLEMS)
    for line in lines:
        typer.echo(json.dumps(line.fields) if as_json else line.text(deployment.stack))
    if wanted.ending and wanted.ending["status"] != "RUNNING" and not as_json:
        typer.echo("\n".join(verdict(dict(wanted.ending)).lines()))
