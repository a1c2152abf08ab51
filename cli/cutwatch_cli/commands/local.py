"""`cutwatch local`: the local AWS, served to the AWS CLI, the SAM CLI and whatever else speaks to AWS."""

import json
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer

PORT = 4566
_USER_MISTAKE = 2
_REMEMBERED_CALLS = 10_000
_KEY = "local"
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what is warned of


def local(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free one.")] = PORT,
    region: Annotated[str, typer.Option(help="The one region that there is.")] = "us-east-1",
    skip_waits: Annotated[
        bool,
        typer.Option(
            "--skip-waits",
            help="Waits of state machines take no time; its clock runs ahead instead.",
        ),
    ] = False,
    now: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ"],
            help="Where its clock starts, in UTC; by default at the real time.",
            show_default=False,
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="The environment for another program, on one line.")
    ] = False,
) -> None:
    """Serve an AWS on this machine, with nothing in it, until it is stopped."""
    _check_region(region)
    from localaws import LocalAws

    stop = _stop_signal()
    aws = LocalAws(
        host=host,
        port=port,
        region=region,
        wait_scale=0.0 if skip_waits else 1.0,
        schedules=True,
        remembered_calls=_REMEMBERED_CALLS,
    )
    try:
        aws.start()
    except OSError as error:
        _mistake(error.strerror or str(error))
    if now is not None:
        aws.clock.move_to(now.replace(tzinfo=UTC))
    try:
        _announce(host, aws.endpoint_url, region, as_json=as_json)
        stop.wait()
    finally:
        aws.stop()


def environment(endpoint_url: str, region: str) -> dict[str, str]:
    """All that a tool needs to find the local AWS instead of AWS; the credentials are nobody's."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_DEFAULT_REGION": region,
    }


def _announce(host: str, endpoint_url: str, region: str, *, as_json: bool) -> None:
    settings = environment(endpoint_url, region)
    if host in _ANY_ADDRESS:
        _note(
            f"cutwatch: {host} is every network of this machine. The local AWS checks no credentials "
            "and runs the code it is given: anybody who reaches it can run theirs."
        )
    if as_json:
        typer.echo(json.dumps({"environment": settings}))
    else:
        _note(f"The local AWS runs at {endpoint_url}; Ctrl-C stops it. To use it elsewhere:")
        typer.echo(_export_lines(settings))


def _export_lines(settings: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={value}" for name, value in settings.items())


def _stop_signal() -> threading.Event:
    """Set by Ctrl-C and by SIGTERM, so that either is an orderly end."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _check_region(region: str) -> None:
    import botocore.session

    session = botocore.session.get_session()
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("cloudformation", partition)
    }
    if region not in known:
        _mistake(f"--region {region}: AWS has no such region")


def _note(text: str) -> None:
    """To people; stdout is for the shell."""
    typer.echo(text, err=True)


def _mistake(message: str) -> NoReturn:
    _note(f"cutwatch: {message}")
    raise typer.Exit(_USER_MISTAKE)
