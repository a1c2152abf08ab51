"""The SAM CLI, as a user runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from cutwatch_cli.account_check.throwaway import Throwaway
from cutwatch_cli.stacks.refusal import Refused

_LAST_LINES = 15


def sam_command() -> Path:
    """Return the path of the SAM CLI. Raises `Refused`."""
    beside = Path(sys.executable).with_name("sam")
    found = beside if beside.exists() else shutil.which("sam")
    if found is None:
        raise Refused("no sam command; make setup installs the SAM CLI")
    return Path(found)


def build(template: Path, throwaway: Throwaway) -> Path:
    """Build the staged application and return the path of the built template."""
    folder = template.parent / ".built"
    _run(
        template.parent,
        "build",
        "--template",
        str(template),
        "--build-dir",
        str(folder),
        *_place(throwaway),
    )
    return folder / "template.yaml"


def deploy(template: Path, throwaway: Throwaway) -> None:
    """Deploy a template with the throw-away stack's parameters."""
    overrides = [f"{name}={value}" for name, value in throwaway.parameters.items()]
    _run(
        template.parent,
        *("deploy", "--template-file", str(template), "--stack-name", throwaway.stack),
        *("--s3-bucket", throwaway.artefacts, "--capabilities", "CAPABILITY_IAM"),
        *("--no-confirm-changeset", *_place(throwaway)),
        *("--parameter-overrides", *overrides),
    )


def _place(throwaway: Throwaway) -> list[str]:
    profile = throwaway.account.session.profile_name
    chosen = ["--profile", profile] if profile != "default" else []
    return ["--region", str(throwaway.account.region), *chosen]


def _run(folder: Path, *arguments: str) -> None:
    """Run it in a folder without a samconfig.toml. Raises `Refused` with the end of its output."""
    answer = subprocess.run(  # noqa: S603 - the SAM CLI
        [sam_command(), *arguments],
        cwd=folder,
        env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        lines = (answer.stdout + answer.stderr).strip().splitlines()[-_LAST_LINES:]
        raise Refused("\n".join([f"sam {arguments[0]} failed:", *lines]))
