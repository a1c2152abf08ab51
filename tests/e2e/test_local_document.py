"""docs/local.md: every command that it shows works, and prints what it shows."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.e2e.local_server import BIN, LocalServer, cutwatch_local
from tests.stack import PROJECT

DOCUMENT = PROJECT / "docs" / "local.md"
_BLOCK = re.compile(r"^(<!-- not run: .*? -->\n)?```console\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TOOLS = {"aws", "curl", "cutwatch", "sam"}
_MARK = "\x1e"


@dataclass(frozen=True)
class Shown:
    """A command with the output that is shown for it, in which `...` stands for anything."""

    command: str
    output: str

    def is_in(self, printed: str) -> bool:
        pieces = (re.escape(piece) for piece in self.output.strip("\n").split("..."))
        return re.search(".*".join(pieces), printed, re.DOTALL) is not None


def shown() -> Iterator[Shown]:
    for not_run, block in _BLOCK.findall(DOCUMENT.read_text()):
        if not not_run:
            for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = one.partition("\n")
                yield Shown(command, output)


def _missing() -> str | None:
    path = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
    missing = sorted(tool for tool in _TOOLS if shutil.which(tool, path=path) is None)
    return (
        f"{', '.join(missing)} not installed; make setup installs all but curl" if missing else None
    )


def _printed(server: LocalServer, commands: list[str]) -> list[str]:
    """What each printed, run one after the other in one shell, so that they share its variables."""
    script = "".join(f"printf '{_MARK}'\n{command}\n" for command in commands)
    answer = server.run("bash", "-euo", "pipefail", "-c", f"exec 2>&1\n{script}")
    outputs = answer.stdout.split(_MARK)[1:]
    assert answer.returncode == 0, (commands[len(outputs) - 1], outputs[-1])
    return outputs


def test_the_page_shows_commands_of_every_tool() -> None:
    commands = " ".join(one.command for one in shown())
    assert all(f"{tool} " in commands for tool in _TOOLS)


@pytest.mark.slow
@pytest.mark.skipif(_missing() is not None, reason=str(_missing()))
def test_every_command_of_the_page_prints_what_the_page_shows() -> None:
    commands = list(shown())
    with cutwatch_local("--skip-waits") as server:
        printed = _printed(server, [one.command for one in commands])
    wrong = [
        (one.command, one.output, text)
        for one, text in zip(commands, printed, strict=True)
        if not one.is_in(text)
    ]
    assert wrong == []
