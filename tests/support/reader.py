"""A copy of the checkout in which a reader types what the documents show, against a local AWS."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.project import PROJECT, SEARCHED

BIN = Path(sys.executable).parent
TOOLS = {"aws", "curl", "cutwatch", "sam", "sed", "xargs"}
_COPIED = (
    "docs",
    "events",
    "functions",
    "glue",
    "layers",
    "stacks",
    "statemachines",
    "samconfig.toml",
    "template.yaml",
)
_MARK = "\x1e"
# Version 1 of the AWS CLI sends what is for SQS to an address of its own, whatever AWS_ENDPOINT_URL says.
_AWS = 'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }'
# What could reach a real account, wait for a person or send anything anywhere stays out.
_SETTINGS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_PAGER": "",
    "COLUMNS": "100",
    "EDITOR": "true",
    "PYTHONPATH": os.pathsep.join(SEARCHED),
    "SAM_CLI_TELEMETRY": "0",
}


@dataclass(frozen=True)
class Typed:
    """What a command printed, stderr too, how it ended and how long it took."""

    command: str
    code: int
    printed: str
    seconds: float


class Reader:
    """The folder and the environment, less that of any account."""

    def __init__(self, folder: Path, account: Mapping[str, str], *, whole: bool = False) -> None:
        """Copy what the documents' commands read, or the whole project as a clone has it."""
        self.folder = folder
        for name in _files_of_a_clone() if whole else _COPIED:
            source, target = PROJECT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        (folder / ".venv").symlink_to(BIN.parent)
        # `make` says more below another `make`.
        left_out = ("AWS_", "MAKE", "MFLAGS")
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
        path = f"{BIN}{os.pathsep}{surroundings.get('PATH', '')}"
        self._environment = {**surroundings, **_SETTINGS, **account, "PATH": path}

    def type(
        self, commands: Sequence[str], answers: Mapping[str, Sequence[str]] | None = None
    ) -> list[Typed]:
        """Run one after the other in one shell, so that they share its variables, up to the first that fails.

        `answers` are the lines that the reader types where a command asks, by how the command begins.
        """
        script = "".join(
            f"began=$EPOCHREALTIME\n{_answered(command, answers or {})}\ncode=$?\n"
            f"printf '{_MARK}%s{_MARK}' \"$code $began $EPOCHREALTIME\"\n"
            # What waits for an earlier command's work would wait for ever.
            "[ $code -eq 0 ] || exit\n"
            for command in commands
        )
        answer = subprocess.run(
            ["bash", "-uo", "pipefail", "-c", f"exec 2>&1\n{_AWS}\n{script}"],
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        parts = answer.stdout.split(_MARK)
        return [
            _typed(command, printed, *ending.replace(",", ".").split())
            for command, printed, ending in zip(commands, parts[::2], parts[1::2], strict=False)
        ]


def _typed(command: str, printed: str, code: str, began: str, ended: str) -> Typed:
    return Typed(command, int(code), printed, float(ended) - float(began))


def _answered(command: str, answers: Mapping[str, Sequence[str]]) -> str:
    """The command with the lines that it reads; in braces, for it may end in a comment."""
    lines = next((given for start, given in answers.items() if command.startswith(start)), None)
    if lines is None:
        return command
    return "\n".join([f"{{ {command}", "} <<'ANSWERS'", *lines, "ANSWERS"])


def _files_of_a_clone() -> list[str]:
    """Every file that git tracks, or would once it is added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (PROJECT / name).is_file()]


def filled(command: str, values: Mapping[str, str]) -> str:
    """With values for the placeholders; what `sed` is to replace is none."""
    if command.startswith("sed "):
        return command
    for placeholder, value in values.items():
        command = re.sub(rf"(?<!\w){re.escape(placeholder)}(?!\w)", value, command)
    return command


def missing_tools() -> str | None:
    """Why nothing can be typed here, if so."""
    path = f"{BIN}:/usr/local/bin:/usr/bin:/bin"
    missing = sorted(tool for tool in TOOLS if shutil.which(tool, path=path) is None)
    return f"{', '.join(missing)} not installed" if missing else None
