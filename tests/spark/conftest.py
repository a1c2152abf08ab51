"""Spark as Glue runs it: in a virtual environment of its own, which `make spark` makes, with Java."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.project import PROJECT

PYTHON = PROJECT / "build" / "spark" / "bin" / "python"
SCRIPT = PROJECT / "glue" / "prepare_records.py"

Glue = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def _spark() -> None:
    """Skips without Spark, with one line that says what is missing; in CI that is a failure."""
    missing = [name for name, found in (("Java", shutil.which("java")), ("build/spark", PYTHON.exists())) if not found]  # fmt: skip
    if missing and os.environ.get("CI"):
        pytest.fail(f"{' and '.join(missing)} missing in CI; run make spark")
    if missing:
        pytest.skip(f"{' and '.join(missing)} missing: Spark is tested by make spark")


@pytest.fixture(scope="session")
def glue() -> Glue:
    """Runs the job's script with Glue's arguments; returns the finished process."""

    def run(**options: str | Path) -> "subprocess.CompletedProcess[str]":
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        return subprocess.run(
            [PYTHON, SCRIPT, *arguments],
            env={
                **os.environ,
                "PYSPARK_PYTHON": str(PYTHON),
                "PYSPARK_SUBMIT_ARGS": "--master local[2] --driver-memory 2g --conf spark.ui.enabled=false pyspark-shell",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run
