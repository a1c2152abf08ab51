"""`cutwatch local`: serve the local AWS to the AWS CLI, the SAM CLI and SDKs."""

import json
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cutwatch_cli.commands.exits import USAGE_ERROR, end, note
from cutwatch_cli.commands.local_aws import PORT, check_installed
from cutwatch_cli.commands.mails import mail_text
from cutwatch_cli.commands.options import DETECTORS_FILE, DetectorsFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cutwatch_cli.replay.stored_past import StoredPast

_REMEMBERED_CALLS = 10_000
_KEY = "local"
_ANY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - the command warns about them


def local(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 selects a free port.")
    ] = PORT,
    region: Annotated[str, typer.Option(help="The only Region it serves.")] = "us-east-1",
    skip_waits: Annotated[
        bool,
        typer.Option(
            "--skip-waits",
            help="Skip the waits of state machines; the clock advances instead.",
        ),
    ] = False,
    now: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ"],
            help="Initial time of its clock, in UTC; default: the current time.",
            show_default=False,
        ),
    ] = None,
    load: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.csv",
            help="History of a metric to store first, of any length; named like its detector, as export "
            "names it; repeatable.",
            show_default=False,
        ),
    ] = None,
    detectors: DetectorsFile = DETECTORS_FILE,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the environment as JSON, on one line.")
    ] = False,
) -> None:
    """Serve a local AWS on this machine until interrupted. Prints every mail that it sends."""
    check_installed("cutwatch local")
    _check_region(region)
    pasts = _read(load, detectors) if load else []
    from localaws import LocalAws

    stop = _stop_signal()
    aws = LocalAws(
        host=host,
        port=port,
        region=region,
        wait_scale=0.0 if skip_waits else 1.0,
        schedules=True,
        event_sources=True,
        remembered_calls=_REMEMBERED_CALLS,
    )
    try:
        aws.start()
    except OSError as error:
        end(error.strerror or str(error), USAGE_ERROR)
    if now is not None:
        aws.clock.move_to(now.replace(tzinfo=UTC))
    for past in pasts:
        past.store(aws)
        for line in past.describe(aws.clock.now()):
            note(line)
    try:
        aws.mails.listener = lambda mail: _print(f"\n{mail_text(mail.to_payload())}")
        _announce(host, aws.endpoint_url, region, as_json=as_json)
        stop.wait()
    finally:
        aws.stop()


def _read(files: "Sequence[Path]", detectors: Path) -> "list[StoredPast]":
    from cutwatch.errors import InvalidDetectors
    from cutwatch_cli.csv_files.csv_series import CsvError
    from cutwatch_cli.replay.stored_past import read_pasts

    try:
        return read_pasts(files, detectors)
    except (CsvError, InvalidDetectors) as error:
        end(str(error), USAGE_ERROR)


def environment(endpoint_url: str, region: str) -> dict[str, str]:
    """Return the environment that makes a tool use the local AWS; the credentials are placeholders."""
    return {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": _KEY,
        "AWS_SECRET_ACCESS_KEY": _KEY,
        "AWS_DEFAULT_REGION": region,
    }


def _announce(host: str, endpoint_url: str, region: str, *, as_json: bool) -> None:
    settings = environment(endpoint_url, region)
    if host in _ANY_ADDRESS:
        _print(
            f"cutwatch: {host} listens on every network of this machine. The local AWS checks no "
            "credentials and runs the code it is given: anyone who can reach it can run code here."
        )
    if as_json:
        typer.echo(json.dumps({"environment": settings}))
    else:
        _print(
            f"The local AWS runs at {endpoint_url}; press Ctrl-C to stop it. To use it in another shell:"
        )
        typer.echo(_export_lines(settings))


def _export_lines(settings: Mapping[str, str]) -> str:
    return "\n".join(f"export {name}={value}" for name, value in settings.items())


def _stop_signal() -> threading.Event:
    """Return an event that Ctrl-C and SIGTERM set, so that both stop the server cleanly."""
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
        end(f"--region {region}: AWS has no such region", USAGE_ERROR)


def _print(text: str) -> None:
    """Print to stderr; stdout is for the shell to evaluate."""
    typer.echo(text, err=True)
