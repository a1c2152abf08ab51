"""The command line in this process."""

from pathlib import Path

from typer.testing import CliRunner, Result

from cutwatch_cli.commands.exits import USAGE_ERROR
from cutwatch_cli.main import app
from tests.support.project import PROJECT

SMALL_TEMPLATE = PROJECT / "tests" / "support" / "small_template.yaml"
"""A valid template. cfn-lint needs 0.3 s of processor for it, 2.6 s for the application's and the nested one."""


def cutwatch(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_one_line_mistake(result: Result, *words: str) -> None:
    assert result.exit_code == USAGE_ERROR
    (line,) = result.stderr.splitlines()
    assert line.startswith("cutwatch: ")
    for word in words:
        assert word in line
