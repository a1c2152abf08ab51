"""A new user types what README.md shows, in its order, in a fresh copy: from the first backtest to the first silence."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.support.documents import shown
from tests.support.local_server import cutwatch_local
from tests.support.project import PROJECT
from tests.support.python_of_lambda import has_python_of_lambda
from tests.support.reader import Reader, Typed, missing_tools

README = PROJECT / "README.md"
# By how a command begins; tests/e2e/test_documents.py has the reasons.
LEFT_OUT = (
    *("make ", "sam deploy --guided", "sam local invoke"),
    *(() if has_python_of_lambda() else ("sam build",)),
)
PERIOD, DAYS = 300, 40
REQUESTS = {
    "name": "requests",
    "namespace": "AWS/ApplicationELB",
    "metric": "RequestCount",
    "statistic": "Sum",
    "dimensions": {"LoadBalancer": "app/web/1"},
}


def write_past(path: Path) -> Path:
    """Forty days at five minutes up to now, with a spike two days ago."""
    count = DAYS * 86_400 // PERIOD
    positions = np.arange(count)
    values = 100 + 20 * np.sin(2 * np.pi * positions * PERIOD / 86_400)
    values += np.random.default_rng(1).normal(0, 2, count)
    values[-2 * 86_400 // PERIOD :][:6] = 400
    last = int(datetime.now(UTC).timestamp()) // PERIOD * PERIOD
    first = datetime.fromtimestamp(last, UTC) - timedelta(seconds=PERIOD * count)
    rows = [
        f"{first + timedelta(seconds=PERIOD * n):%Y-%m-%dT%H:%M:%SZ},{value:.3f}"
        for n, value in enumerate(values)
    ]
    path.write_text("\n".join(["timestamp,value", *rows]) + "\n")
    return path


def without_dependencies(checkout: Path) -> None:
    """Packages take minutes to download; tests/e2e/test_sam_build.py builds with them, for both processors."""
    for requirements in checkout.rglob("requirements.txt"):
        requirements.write_text("")


def printed(typed: list[Typed], start: str) -> str:
    """What the first command that begins like this printed."""
    return next(each.printed for each in typed if each.command.startswith(start))


@pytest.mark.slow
@pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
def test_the_readmes_commands_work_as_printed_one_after_the_other(tmp_path: Path) -> None:
    commands = [one.command for one in shown(README) if not one.command.startswith(LEFT_OUT)]
    shipped = yaml.safe_load((PROJECT / "functions" / "detectors.yaml").read_text())
    known = tmp_path / "known.yaml"
    known.write_text(yaml.safe_dump({"detectors": [*shipped["detectors"], REQUESTS]}))
    pasts = [write_past(tmp_path / f"{name}.csv") for name in ("lambda-invocations", "requests")]
    options = [part for past in pasts for part in ("--load", str(past))]
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    with cutwatch_local("--skip-waits", "--detectors", str(known), *options) as server:
        account = {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        reader = Reader(checkout, account)
        write_past(checkout / "my-metric.csv")
        without_dependencies(checkout)
        typed = reader.type(commands, answers="y\n")

    failures = [(each.command, each.printed) for each in typed if each.code]
    assert failures == []
    assert len(typed) == len(commands)
    if has_python_of_lambda():
        assert "Build Succeeded" in printed(typed, "sam build")
        assert (checkout / "build" / "local-invoke" / "application" / "template.yaml").exists()
    assert "Successfully created/updated stack - cutwatch-dev" in printed(typed, "sam deploy")
    assert "1 PUBLISHED" in printed(typed, "cutwatch start transform")
    assert "none with problems" in printed(typed, "cutwatch status")
    assert "lambda-invocations" in printed(typed, "cutwatch events")
    assert (checkout / "build" / "report.html").exists()
    assert (checkout / "build" / "history" / "invocations.csv").exists()
    assert "lambda-invocations" in printed(typed, "cutwatch silence")
    assert '"BUCKET_NAME"' in (checkout / "environment.json").read_text()


@pytest.mark.slow
@pytest.mark.skipif("CI" not in os.environ, reason="tests/workflow/test_replay.py runs a replay")
def test_the_first_command_of_the_readme_finds_what_was_planted(tmp_path: Path) -> None:
    """In an environment that is set up; setting it up is a step of its own in CI."""
    [command] = [one.command for one in shown(README) if one.command.startswith("make demo")]
    reader = Reader(tmp_path, {})
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "localaws/pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy2(PROJECT / name, tmp_path / name)
    environment = tmp_path / ".venv"
    tools = environment.resolve()
    environment.unlink()
    environment.mkdir()
    (environment / "bin").symlink_to(tools if tools.name == "bin" else tools / "bin")
    (environment / ".ready").touch()

    [typed] = reader.type([command])

    assert typed.code == 0, typed.printed
    assert "6 of 6 planted anomalies found, 0 other events" in typed.printed
    assert (tmp_path / "build" / "demo" / "report.html").exists()
