"""What a user of the SAM CLI runs."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.project import PROJECT
from tests.support.python_of_lambda import has_python_of_lambda
from tests.support.stack import FUNCTION, Stack, snake

# e_machine of an ELF header, least significant byte first
MACHINES = {"arm64": b"\xb7\x00", "x86_64": b"\x3e\x00"}
# The most that a function and its layers may have together, unzipped.
UNZIPPED_BYTES = 250_000_000
# Where sam build puts, and sam deploy finds, a build by default.
SAMS_OWN = ".aws-sam"
SAM = Path(sys.executable).with_name("sam")


def _sam(*arguments: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SAM, *arguments],
        cwd=folder,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.slow
def test_the_template_is_clean_for_sam_and_its_linter() -> None:
    answer = _sam("validate", "--lint")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "is a valid SAM Template" in answer.stdout


def test_a_build_for_sam_local_invoke_is_not_where_sam_deploy_looks() -> None:
    settings = tomllib.loads((PROJECT / "samconfig.toml").read_text())
    local = settings["local"]
    built = Path(local["build"]["parameters"]["build_dir"])
    assert Path(local["local_invoke"]["parameters"]["template_file"]) == built / "template.yaml"
    for folder in (built, Path(local["build"]["parameters"]["cache_dir"])):
        assert SAMS_OWN not in folder.parts
    for environment in ("default", "prod"):
        assert settings[environment]["build"]["parameters"].keys() == {"cached", "parallel"}


@pytest.mark.parametrize("document", ["README.md", "docs/local.md"])
def test_the_documents_build_for_sam_local_invoke_in_that_folder(document: str) -> None:
    commands = [
        line
        for line in (PROJECT / document).read_text().splitlines()
        if line.startswith(("$ sam local invoke", "$ sam build --"))
    ]
    assert len(commands) > 1
    assert all("--config-env local" in command for command in commands)


@pytest.mark.slow
@pytest.mark.skipif(not has_python_of_lambda(), reason="sam build needs Python 3.13 on the PATH")
def test_that_build_leaves_what_sam_deploy_ships_untouched(tmp_path: Path) -> None:
    """In a copy of the sources without dependencies, which are not what this is about."""
    for name in (
        "template.yaml",
        "samconfig.toml",
        "functions",
        "layers",
        "statemachines",
        "stacks",
    ):
        source = PROJECT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    for requirements in tmp_path.rglob("requirements.txt"):
        requirements.write_text("")
    assert _sam("build", folder=tmp_path).returncode == 0
    shipped = _contents(tmp_path / SAMS_OWN)
    answer = _sam(
        "build",
        "--config-env",
        "local",
        "--parameter-overrides",
        "Architecture=x86_64",
        folder=tmp_path,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "build" / "local-invoke" / "application" / "template.yaml").is_file()
    assert _contents(tmp_path / SAMS_OWN) == shipped


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(not has_python_of_lambda(), reason="sam build needs Python 3.13 on the PATH")
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_sam_build_makes_every_function_and_the_layers(tmp_path: Path, architecture: str) -> None:
    folders = ("--build-dir", str(tmp_path), "--cache-dir", str(tmp_path / "cache"))
    answer = _sam("build", *folders, "--parameter-overrides", f"Architecture={architecture}")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "NumericsLayer" / "python" / "numpy").is_dir()
    [binary] = (tmp_path / "ForestsLayer" / "python" / "krcf").glob("*.so")
    assert MACHINES[architecture] in binary.read_bytes()[18:20]
    for logical_id in Stack().resources(FUNCTION):
        assert (tmp_path / logical_id / f"{snake(logical_id)}.py").is_file()
        assert not (tmp_path / logical_id / "numpy").exists()


@pytest.mark.slow
@pytest.mark.skipif(not has_python_of_lambda(), reason="sam build needs Python 3.13 on the PATH")
def test_the_function_that_trains_is_within_lambdas_limit_with_its_layers(tmp_path: Path) -> None:
    folders = ("--build-dir", str(tmp_path), "--cache-dir", str(tmp_path / "cache"))
    answer = _sam("build", "TrainLog", "--template", "stacks/kafka_stream.yaml", *folders)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "TrainLog" / "train_log.py").is_file()
    [binary] = (tmp_path / "TrainingLayer" / "python" / "sklearn" / "svm").glob("_libsvm.*.so")
    assert MACHINES["arm64"] in binary.read_bytes()[18:20]
    together = ("TrainLog", "ForestsLayer", "NumericsLayer", "TrainingLayer")
    size = sum(len(each) for name in together for each in _contents(tmp_path / name).values())
    assert size < UNZIPPED_BYTES
