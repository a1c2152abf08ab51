"""Both distributions, as `pip install` puts them into an empty environment."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.project import PROJECT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("CI" not in os.environ, reason="downloads every dependency; CI=1 runs it"),
]

_PRINT_INSTALLED = """
import importlib.util, json, sys
print(json.dumps([name for name in sys.argv[1:] if importlib.util.find_spec(name)]))
"""


def installed(folder: Path, distribution: Path) -> Path:
    """Install into an environment of its own and return the environment's programs."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    programs = folder / "bin"
    install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    command: list[str | Path] = [programs / "python", *install, distribution]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return programs


def run(*command: str | Path, folder: Path) -> str:
    """Run a program outside the project and return what it prints."""
    surroundings = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    answer = subprocess.run(
        command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def importable(programs: Path, folder: Path, *names: str) -> list[str]:
    printed = run(programs / "python", "-c", _PRINT_INSTALLED, *names, folder=folder)
    found: list[str] = json.loads(printed)
    return found


NAMES = ("cutwatch", "cutwatch_cli", "localaws", "local", "tests")


def test_cutwatch_is_installed_without_the_local_aws_and_says_its_version(tmp_path: Path) -> None:
    programs = installed(tmp_path / "environment", PROJECT)
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]

    assert run(programs / "cutwatch", "--version", folder=tmp_path) == f"cutwatch {version}\n"
    assert importable(programs, tmp_path, *NAMES) == ["cutwatch", "cutwatch_cli"]


def test_the_local_aws_is_installed_without_cutwatch(tmp_path: Path) -> None:
    programs = installed(tmp_path / "environment", PROJECT / "localaws")

    assert importable(programs, tmp_path, *NAMES) == ["localaws"]
    assert run(programs / "python", "-c", "import localaws", folder=tmp_path) == ""
