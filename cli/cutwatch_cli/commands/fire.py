"""`cutwatch fire`: fire a scheduled rule of the local AWS."""

import json
from typing import Annotated
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import typer

from cutwatch_cli.commands import local_aws
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end, note

_SECONDS = 30


def fire(
    rule: Annotated[str, typer.Argument(help="Name or logical id, such as TransformRule.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="Scheduled time of the event, such as 2026-11-02T04:00:00Z; default: now.",
            show_default=False,
        ),
    ] = None,
    endpoint_url: Annotated[
        str, typer.Option(envvar="AWS_ENDPOINT_URL", help="URL of the local AWS.")
    ] = f"http://127.0.0.1:{local_aws.PORT}",
) -> None:
    """Fire a scheduled rule of the running local AWS. Prints the executions it started."""
    if not endpoint_url.startswith("http"):
        end(f"--endpoint-url {endpoint_url}: expected a URL", USAGE_ERROR)
    query = urlencode({"rule": rule} | ({"at": at} if at else {}))
    started = _started(f"{endpoint_url.rstrip('/')}/_localaws/fire?{query}", endpoint_url)
    for execution in started:
        typer.echo(execution)
    if not started:
        note(f"{rule} started no execution")


def _started(url: str, endpoint_url: str) -> list[str]:
    request = Request(url, method="POST")  # noqa: S310 - checked to be http
    try:
        with urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - checked to be http
            started: list[str] = json.load(response)["executions"]
    except HTTPError as error:
        end(_reason(error, endpoint_url), USAGE_ERROR)
    except (URLError, OSError, ValueError, KeyError):
        installation = "" if local_aws.is_installed() else f"{local_aws.INSTALLATION}, then "
        end(
            f"no local AWS responds at {endpoint_url}; start one with: {installation}cutwatch local",
            FAILURE,
        )
    return started


def _reason(error: HTTPError, endpoint_url: str) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"{endpoint_url} is not a local AWS of Cutwatch"
