"""`cutwatch fire`: a scheduled rule of the local AWS, fired now."""

import json
from typing import Annotated, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import typer

from cutwatch_cli.commands.local import PORT

_FAILURE, _USER_MISTAKE = 1, 2
_SECONDS = 30


def fire(
    rule: Annotated[str, typer.Argument(help="Its name, or its logical id such as TransformRule.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="Scheduled time that the event bears, such as 2026-11-02T04:00:00Z; by default now.",
            show_default=False,
        ),
    ] = None,
    endpoint_url: Annotated[
        str, typer.Option(envvar="AWS_ENDPOINT_URL", help="Where the local AWS is.")
    ] = f"http://127.0.0.1:{PORT}",
) -> None:
    """Fire a scheduled rule of the running local AWS; prints the executions that it started."""
    if not endpoint_url.startswith("http"):
        _end(f"--endpoint-url {endpoint_url}: expected a URL", _USER_MISTAKE)
    query = urlencode({"rule": rule} | ({"at": at} if at else {}))
    for execution in _started(f"{endpoint_url.rstrip('/')}/_localaws/fire?{query}", endpoint_url):
        typer.echo(execution)


def _started(url: str, endpoint_url: str) -> list[str]:
    request = Request(url, method="POST")  # noqa: S310 - checked to be http
    try:
        with urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - checked to be http
            started: list[str] = json.load(response)["executions"]
    except HTTPError as error:
        _end(_reason(error, endpoint_url), _USER_MISTAKE)
    except (URLError, OSError, ValueError, KeyError):
        _end(f"no local AWS answers at {endpoint_url}; start one with cutwatch local", _FAILURE)
    return started


def _reason(error: HTTPError, endpoint_url: str) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"{endpoint_url} is no local AWS of Cutwatch"


def _end(message: str, code: int) -> NoReturn:
    typer.echo(f"cutwatch: {message}", err=True)
    raise typer.Exit(code)
