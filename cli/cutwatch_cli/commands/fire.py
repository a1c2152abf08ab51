"""`cutwatch fire`: fire a scheduled rule of the local AWS."""

from typing import Annotated
from urllib.parse import urlencode

import typer

from cutwatch_cli.commands.exits import note
from cutwatch_cli.commands.local_requests import ENDPOINT_URL, EndpointUrl, ask


def fire(
    rule: Annotated[str, typer.Argument(help="Name or logical id, such as TransformRule.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="Scheduled time of the event, such as 2026-11-02T04:00:00Z; default: now.",
            show_default=False,
        ),
    ] = None,
    endpoint_url: EndpointUrl = ENDPOINT_URL,
) -> None:
    """Fire a scheduled rule of the running local AWS. Prints the executions it started."""
    query = urlencode({"rule": rule} | ({"at": at} if at else {}))
    started = ask("POST", f"fire?{query}", endpoint_url, "executions")
    for execution in started:
        typer.echo(execution)
    if not started:
        note(f"{rule} started no execution")
