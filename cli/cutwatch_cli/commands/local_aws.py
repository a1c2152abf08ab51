"""The local AWS, an optional distribution that some commands need."""

from importlib.util import find_spec

from cutwatch_cli.commands.exits import USAGE_ERROR, end

INSTALLATION = "pip install ./localaws"
PORT = 4566


def is_installed() -> bool:
    """Return True if the distribution is installed."""
    return find_spec("localaws") is not None


def check_installed(command: str) -> None:
    """Exit unless the distribution is installed."""
    if not is_installed():
        end(
            f"{command} needs the local AWS, which is not installed; run: {INSTALLATION}",
            USAGE_ERROR,
        )
