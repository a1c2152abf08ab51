"""The command line: registration of all commands."""

from importlib.metadata import version
from typing import Annotated

import typer

from cutwatch_cli.commands.account_check import account_check
from cutwatch_cli.commands.backtest import backtest
from cutwatch_cli.commands.compare import compare
from cutwatch_cli.commands.cost import cost
from cutwatch_cli.commands.demo import demo
from cutwatch_cli.commands.discover import discover
from cutwatch_cli.commands.environment import environment
from cutwatch_cli.commands.events import events
from cutwatch_cli.commands.export import export
from cutwatch_cli.commands.fire import fire
from cutwatch_cli.commands.local import local
from cutwatch_cli.commands.logs import logs
from cutwatch_cli.commands.mails import mails
from cutwatch_cli.commands.report import report
from cutwatch_cli.commands.run import run
from cutwatch_cli.commands.silence import silence
from cutwatch_cli.commands.start import start
from cutwatch_cli.commands.status import status
from cutwatch_cli.commands.stream_sample import stream
from cutwatch_cli.commands.train import train
from cutwatch_cli.commands.validate import validate
from cutwatch_cli.commands.watch import watch

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Anomaly detection for CloudWatch metrics: try it on this machine, or operate a deployed stack.",
)

_DEPLOYMENT = (discover, cost, validate, account_check)
_OPERATION = (status, watch, events, report, start, logs, silence)
_TRIAL = (demo, run, backtest, compare, train, export, local, fire, mails, environment)

for command in (*_DEPLOYMENT, *_OPERATION, *_TRIAL):
    app.command()(command)
app.add_typer(stream, name="stream")


def main() -> None:
    """Run `cutwatch`."""
    app()


def _print_version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"cutwatch {version('cutwatch')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
