"""`cutwatch logs`: the functions' log lines of one run."""

import json
from typing import Annotated

import typer

from cutwatch_cli.commands.exits import FAILURE, end
from cutwatch_cli.commands.options import (
    AsJson,
    Profile,
    Region,
    StackName,
    deployed,
)


def logs(
    run: Annotated[
        str,
        typer.Argument(
            metavar="EXECUTION_OR_RUN",
            help="Run, such as transform-20261102T040000Z, or the ARN or name of an execution.",
        ),
    ],
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Print the log lines of one run.

    They include those of the training that a transform started, and end with the reason for each detector that was
    neither trained nor published. Exit code 1 if there are none.
    """
    from cutwatch_cli.stacks.run_logs import find_run, log_lines, reasons
    from cutwatch_cli.stacks.started_run import verdict

    with deployed(stack, region, profile) as deployment:
        wanted = find_run(deployment, run)
        lines = log_lines(deployment, wanted)
        ends = [] if as_json else reasons(deployment, wanted)
    if not lines:
        end(f"no log lines of {wanted.run} in {deployment.log_group}", FAILURE)
    for line in lines:
        typer.echo(json.dumps(line.fields) if as_json else line.text(deployment.stack))
    for reason in ends:
        typer.echo(reason)
    if wanted.ending and wanted.ending["status"] != "RUNNING" and not as_json:
        typer.echo("\n".join(verdict(dict(wanted.ending)).lines()))
