"""`sam deploy --guided` with a configuration file of one's own, as README.md shows it, answered by a person."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.support.local_server import cutwatch_local
from tests.support.project import PROJECT
from tests.support.reader import Reader, missing_tools

OWN, SHARED = "samconfig.local.toml", "samconfig.toml"
ADDRESS = "somebody@example.com"
# Stack, Region and five parameters as they are; the address; five more parameters, three questions, whether, where and
# under which name to save; at last the change set.
ANSWERS = [*[""] * 7, ADDRESS, *[""] * 12, "y"]


@pytest.mark.slow
@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
def test_guided_answers_are_saved_in_the_file_of_ones_own_and_deployed(tmp_path: Path) -> None:
    commands = [f"cp {SHARED} {OWN}", f"sam deploy --guided --config-file {OWN}", "cutwatch status"]
    with cutwatch_local("--skip-waits") as server:
        account = {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        typed = Reader(tmp_path, account).type(commands, answers="\n".join([*ANSWERS, ""]))
        topics = server.client("sns").list_subscriptions()["Subscriptions"]

    assert [each.code for each in typed[:2]] == [0, 0], typed[-1].printed
    assert "Parameter NotificationEmail []:" in typed[1].printed
    assert "Successfully created/updated stack - cutwatch-dev" in typed[1].printed
    saved = tomllib.loads((tmp_path / OWN).read_text())["default"]["deploy"]["parameters"]
    assert f'NotificationEmail="{ADDRESS}"' in saved["parameter_overrides"]
    assert 'Environment="dev"' in saved["parameter_overrides"]
    assert saved["stack_name"] == "cutwatch-dev"
    assert (tmp_path / SHARED).read_bytes() == (PROJECT / SHARED).read_bytes()
    assert [each["Endpoint"] for each in topics] == [ADDRESS]
    assert "Start the first run with: cutwatch start transform" in typed[2].printed


def test_git_ignores_the_configuration_file_of_ones_own() -> None:
    ignored = subprocess.run(["git", "check-ignore", "--quiet", OWN], cwd=PROJECT, check=False)
    tracked = subprocess.run(["git", "check-ignore", "--quiet", SHARED], cwd=PROJECT, check=False)
    assert (ignored.returncode, tracked.returncode) == (0, 1)
