"""A new user of a fresh clone types what README.md shows, in its order, from the demo to the first mail and beyond.

Each step is timed: build/first-contact.txt has the seconds of the newest run.
"""

import os
import re
import subprocess
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.support.containers import docker_host, why_no_container
from tests.support.documents import Shown, shown
from tests.support.local_server import cutwatch_local
from tests.support.project import PROJECT
from tests.support.python_of_lambda import has_python_of_lambda
from tests.support.reader import Reader, Typed, missing_tools

README = PROJECT / "README.md"
INVOKE = "sam local invoke"
# By how a command begins.
LEFT_OUT = {
    "make test": "runs the other tests",
    **({} if has_python_of_lambda() else {"sam build": "needs Python 3.13 on the PATH"}),
    **({INVOKE: why} if (why := why_no_container()) else {}),
}
OWN, SHARED = "samconfig.local.toml", "samconfig.toml"
ADDRESS = "somebody@example.com"
ANSWERS = {
    # Stack, Region and five parameters as they are; the address; five more parameters, three questions, whether, where
    # and under which name to save; at last the change set.
    "sam deploy --guided": [*[""] * 7, ADDRESS, *[""] * 12, "y"],
    "sam deploy": ["y"],
}
MAILS = "cutwatch mails"
LOCAL_BUILD = "sam build --config-env local"
TIMES = PROJECT / "build" / "first-contact.txt"
needs_tools = pytest.mark.skipif(missing_tools() is not None, reason=str(missing_tools()))
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


def without_dependencies(checkout: Path) -> dict[Path, str]:
    """Empty the lists of packages, which take minutes to download, and return what was in them.

    tests/e2e/test_sam_build.py builds with them, for both processors.
    """
    found = {each: each.read_text() for each in checkout.rglob("requirements.txt")}
    for each in found:
        each.write_text("")
    return found


def commands() -> list[Shown]:
    """What README.md shows, less what is left out, and a look at the mails once there are any."""
    every = [one for one in shown(README) if not one.command.startswith(tuple(LEFT_OUT))]
    after = next(n for n, one in enumerate(every) if one.command.startswith("cutwatch start")) + 1
    return [*every[:after], Shown(MAILS, ""), *every[after:]]


def words() -> list[str]:
    return [one.command for one in commands()]


def printed(typed: Sequence[Typed], start: str) -> str:
    """What the first command that begins like this printed."""
    return next(each.printed for each in typed if each.command.startswith(start))


def without_seconds(transcript: str) -> str:
    lines = (line.rstrip() for line in transcript.strip("\n").splitlines())
    return re.sub(r"in [\d.]+ s\b", "in a while", "\n".join(lines))


def set_up(checkout: Path) -> None:
    """Mark the environment of these tests as the clone's; in CI, remove it, so that `make` makes one."""
    environment = checkout / ".venv"
    tools = environment.resolve()
    environment.unlink()
    if "CI" not in os.environ:
        environment.mkdir()
        (environment / "bin").symlink_to(tools if tools.name == "bin" else tools / "bin")
        (environment / ".ready").touch()


def write_times(typed: Sequence[Typed]) -> None:
    lines = [f"{each.seconds:7.1f} s  {each.command}" for each in typed]
    TIMES.parent.mkdir(exist_ok=True)
    TIMES.write_text("\n".join([*lines, f"{sum(each.seconds for each in typed):7.1f} s", ""]))


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clone") / "cutwatch"


@pytest.fixture(scope="module")
def typed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Sequence[Typed]:
    """The commands, typed one after the other up to the first that fails."""
    folder = tmp_path_factory.mktemp("account")
    shipped = yaml.safe_load((PROJECT / "functions" / "detectors.yaml").read_text())
    known = folder / "known.yaml"
    known.write_text(yaml.safe_dump({"detectors": [*shipped["detectors"], REQUESTS]}))
    pasts = [write_past(folder / f"{name}.csv") for name in ("lambda-invocations", "requests")]
    options = [part for past in pasts for part in ("--load", str(past))]
    # Where a container reaches it, and no other machine does.
    host = docker_host() if why_no_container() is None else "127.0.0.1"
    # The image is there already, and may be from no registry.
    every = [each.replace(INVOKE, f"{INVOKE} --skip-pull-image") for each in words()]
    with cutwatch_local(
        "--host", host, "--skip-waits", "--detectors", str(known), *options
    ) as server:
        account = {k: v for k, v in server.environment.items() if k.startswith("AWS_")}
        reader = Reader(checkout, {**account, "PYTHONPATH": ""}, whole=True)
        set_up(checkout)
        write_past(checkout / "my-metric.csv")
        packages = without_dependencies(checkout)
        local = next((n for n, each in enumerate(every) if LOCAL_BUILD in each), len(every))
        found = reader.type(every[:local], ANSWERS)
        if why_no_container() is None:
            for path, content in packages.items():
                path.write_text(content)
        if len(found) == local and not found[-1].code:
            found += reader.type(every[local:])
    write_times(found)
    return found


@pytest.mark.slow
@needs_tools
def test_the_readmes_commands_work_as_printed_one_after_the_other(
    typed: Sequence[Typed], checkout: Path
) -> None:
    assert [(each.command, each.printed) for each in typed if each.code] == []
    assert len(typed) == len(commands())
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
@needs_tools
def test_the_demo_prints_what_the_readme_shows(typed: Sequence[Typed]) -> None:
    [demo] = [one for one in commands() if one.command == "make demo"]
    # Setting up prints first.
    transcript = printed(typed, demo.command)
    transcript = transcript[transcript.index(demo.output.split()[0] + " trainings") :]

    assert without_seconds(transcript) == without_seconds(demo.output)


@pytest.mark.slow
@needs_tools
def test_guided_answers_are_saved_in_a_file_of_ones_own_and_not_in_the_shipped_one(
    typed: Sequence[Typed], checkout: Path
) -> None:
    deployed = printed(typed, "sam deploy --guided")
    assert "Parameter NotificationEmail []:" in deployed
    assert "Successfully created/updated stack - cutwatch-dev" in deployed
    saved = tomllib.loads((checkout / OWN).read_text())["default"]["deploy"]["parameters"]
    assert f'NotificationEmail="{ADDRESS}"' in saved["parameter_overrides"]
    assert 'Environment="dev"' in saved["parameter_overrides"]
    assert saved["stack_name"] == "cutwatch-dev"
    assert (checkout / SHARED).read_bytes() == (PROJECT / SHARED).read_bytes()


@pytest.mark.slow
@needs_tools
def test_the_first_mail_says_what_happened(typed: Sequence[Typed]) -> None:
    mail = printed(typed, MAILS)
    assert f" to {ADDRESS}, topic cutwatch-dev-" in mail
    assert "Subject: Cutwatch high: lambda-invocations at 400, expected 100\n" in mail
    assert "--stack cutwatch-dev" in mail
    assert mail.count("Subject:") == 1


@pytest.mark.slow
@needs_tools
def test_a_function_runs_in_lambdas_own_image(typed: Sequence[Typed]) -> None:
    if why := why_no_container():
        pytest.skip(why)
    answer = printed(typed, INVOKE)
    assert "END RequestId" in answer
    assert "errorType" not in answer


def test_git_ignores_the_configuration_file_of_ones_own() -> None:
    ignored = subprocess.run(["git", "check-ignore", "--quiet", OWN], cwd=PROJECT, check=False)
    tracked = subprocess.run(["git", "check-ignore", "--quiet", SHARED], cwd=PROJECT, check=False)
    assert (ignored.returncode, tracked.returncode) == (0, 1)
