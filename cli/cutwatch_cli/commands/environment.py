"""`cutwatch environment`: the functions' environment variables, for `sam local invoke`."""

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end
from cutwatch_cli.commands.options import Profile, Region, StackName, deployed

_EXAMPLE = "RecordOutcome"


def environment(
    output: Annotated[Path, typer.Option(help="JSON file to write.")] = Path("environment.json"),
    endpoint_url: Annotated[
        str | None,
        typer.Option(
            envvar="AWS_ENDPOINT_URL",
            help="URL of a local AWS, as a container reaches it.",
            show_default=False,
        ),
    ] = None,
    stack: StackName = None,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Write a stack's environment variables for sam local invoke."""
    from cutwatch.wording import count
    from cutwatch_cli.stacks.function_environments import function_environments

    with deployed(stack, region, profile) as deployment:
        found = function_environments(deployment, endpoint_url)
    try:
        output.write_text(json.dumps(found, indent=2) + "\n")
    except OSError as error:
        end(f"--output {output}: {error.strerror}", USAGE_ERROR)
    example = _EXAMPLE if _EXAMPLE in found else min(found, default=_EXAMPLE)
    event = re.sub(r"(?<!^)(?=[A-Z])", "_", example).lower()
    typer.echo(
        f"{output}: {count(len(found), 'function')}; for example: sam local invoke {example} "
        f"-e events/{event}.json --env-vars {output}"
    )
