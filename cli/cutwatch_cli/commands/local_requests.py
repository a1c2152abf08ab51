"""Requests to a running local AWS that AWS has no API for."""

import json
from typing import Annotated, Any, Literal
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import typer

from cutwatch_cli.commands import local_aws
from cutwatch_cli.commands.exits import FAILURE, USAGE_ERROR, end

EndpointUrl = Annotated[str, typer.Option(envvar="AWS_ENDPOINT_URL", help="URL of the local AWS.")]
ENDPOINT_URL = f"http://127.0.0.1:{local_aws.PORT}"
_SECONDS = 30


def ask(method: Literal["GET", "POST"], path: str, endpoint_url: str, key: str) -> list[Any]:
    """Return the list under `key` of the answer. Exits if there is no local AWS, or it refuses the request."""
    if not endpoint_url.startswith("http"):
        end(f"--endpoint-url {endpoint_url}: expected a URL", USAGE_ERROR)
    url = f"{endpoint_url.rstrip('/')}/_localaws/{path}"
    request = Request(url, method=method)  # noqa: S310 - checked to be http
    try:
        with urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - checked to be http
            answered: list[Any] = json.load(response)[key]
    except HTTPError as error:
        end(_reason(error, endpoint_url), USAGE_ERROR)
    except (URLError, OSError, ValueError, KeyError):
        installation = "" if local_aws.is_installed() else f"{local_aws.INSTALLATION}, then "
        end(
            f"no local AWS responds at {endpoint_url}; start one with: {installation}cutwatch local",
            FAILURE,
        )
    return answered


def _reason(error: HTTPError, endpoint_url: str) -> str:
    try:
        return str(json.load(error)["error"])
    except (ValueError, KeyError, TypeError):
        return f"{endpoint_url} is not a local AWS of Cutwatch"
