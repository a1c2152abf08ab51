"""`cutwatch mails`: list the mails that a local AWS sent."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cutwatch_cli.commands.exits import note
from cutwatch_cli.commands.local_requests import ENDPOINT_URL, EndpointUrl, ask


def mails(
    endpoint_url: EndpointUrl = ENDPOINT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the mails of the running local AWS, oldest first."""
    sent = ask("GET", "mails", endpoint_url, "mails")
    if as_json:
        typer.echo(json.dumps(sent, indent=2))
    elif sent:
        typer.echo("\n\n".join(map(mail_text, sent)))
    else:
        note("The local AWS has sent no mails.")


def mail_text(mail: Mapping[str, Any]) -> str:
    """Return a mail as a terminal shows it."""
    to = ", ".join(mail["to"]) or "no email subscription"
    return (
        f"Mail of {mail['at']} to {to}, topic {mail['topic']}\n"
        f"Subject: {mail['subject']}\n\n{mail['text']}"
    )
