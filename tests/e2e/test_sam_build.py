"""What a user of the SAM CLI runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import PROJECT

# e_machine of an ELF header, least significant byte first
MACHINES = {"arm64": b"\xb7\x00", "x86_64": b"\x3e\x00"}
SAM = Path(sys.executable).with_name("sam")


def _sam(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SAM, *arguments],
        cwd=PROJECT,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_template_is_clean_for_sam_and_its_linter() -> None:
    answer = _sam("validate", "--lint")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "is a valid SAM Template" in answer.stdout


def _has_python() -> bool:
    """A version manager's shim may be there without the version."""
    found = shutil.which("python3.13")
    return found is not None and subprocess.run([found, "-c", ""], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(not _has_python(), reason="sam build needs Python 3.13 on the PATH")
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_sam_build_makes_every_function_and_the_layers(tmp_path: Path, architecture: str) -> None:
    folders = ("--build-dir", str(tmp_path), "--cache-dir", str(tmp_path / "cache"))
    answer = _sam("build", *folders, "--parameter-overrides", f"Architecture={architecture}")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert (tmp_path / "NumericsLayer" / "python" / "numpy").is_dir()
    [binary] = (tmp_path / "ForestsLayer" / "python" / "krcf").glob("*.so")
    assert MACHINES[architecture] in binary.read_bytes()[18:20]
    for handler in (PROJECT / "functions").glob("*.py"):
        logical_id = "".join(part.capitalize() for part in handler.stem.split("_"))
        assert (tmp_path / logical_id / handler.name).is_file()
        assert not (tmp_path / logical_id / "numpy").exists()
