"""`cutwatch watch` as its user sees it: what ends it, and what does not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cutwatch.errors import Throttled
from cutwatch_cli.commands import watch as command
from cutwatch_cli.main import app
from cutwatch_cli.stacks import deployment as deployments


class Deployment:
    """A deployment of which only the account's region matters."""

    stack = "cutwatch"

    @property
    def account(self) -> "Deployment":
        return self

    region = "us-east-1"


@contextmanager
def deployed(*_: Any) -> Iterator[Any]:
    yield Deployment()


@dataclass
class Looks:
    """Screens, or errors, one for each look; Ctrl-C follows the last one."""

    left: list[Any]

    def screen(self, *_: Any) -> Any:
        found = self.left.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def sleep(self, _: float) -> None:
        if not self.left:
            raise KeyboardInterrupt


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `watch` over screens."""

    def watched(*screens: Any, options: tuple[str, ...] = ()) -> Result:
        each = Looks([*screens])
        monkeypatch.setattr(command, "_screen", each.screen)
        monkeypatch.setattr("cutwatch_cli.commands.watch.time.sleep", each.sleep)
        return CliRunner().invoke(app, ["watch", *options])

    monkeypatch.setattr(command, "deployed", deployed)
    monkeypatch.setattr(deployments, "find_deployment", lambda *_: Deployment())
    return watched


def test_ctrl_c_ends_without_a_message(looks: Callable[..., Result]) -> None:
    result = looks("one", "two")
    assert (result.exit_code, result.stdout) == (0, "one\ntwo\n")


def test_once_prints_one_screen(looks: Callable[..., Result]) -> None:
    result = looks("one", "two", options=("--once",))
    assert (result.exit_code, result.stdout) == (0, "one\n")


def test_without_live_detectors_the_command_says_how_to_deploy_them(
    looks: Callable[..., Result],
) -> None:
    result = looks(None)
    assert result.exit_code == 1
    assert "no live detectors; docs/live.md says how to deploy them" in result.output


def test_a_look_that_fails_is_shown_and_tried_again(looks: Callable[..., Result]) -> None:
    result = looks("one", Throttled("Query", "ThrottlingException", "Rate exceeded"), None, "two")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "one",
        "Query: Rate exceeded (ThrottlingException); trying again every 10 s",
        "no live detectors any more",
        "two",
    ]
