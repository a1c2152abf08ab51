"""The command line in this process."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cutwatch_cli.commands.exits import USAGE_ERROR
from cutwatch_cli.main import app


def cutwatch(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_one_line_mistake(result: Result, *words: str) -> None:
    assert result.exit_code == USAGE_ERROR
    (line,) = result.stderr.splitlines()
    assert line.startswith("cutwatch: ")
    for word in words:
        assert word in line
