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
    """What a command printed, stderr too, and how it ended."""

    command: str
    code: int
    printed: str


class Reader:
    """The folder and the environment, less that of any account."""

    def __init__(self, folder: Path, account: Mapping[str, str]) -> None:
        self.folder = folder
        for name in _COPIED:
            source, target = PROJECT / name, folder / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        (folder / ".venv").symlink_to(BIN.parent)
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        path = f"{BIN}{os.pathsep}{surroundings.get('PATH', '')}"
        self._environment = {**surroundings, **_SETTINGS, **account, "PATH": path}

    def type(self, commands: Sequence[str], answers: str = "") -> list[Typed]:
        """Run one after the other in one shell, so that they share its variables, up to the first that fails.

        `answers` is what the reader types when a command asks.
        """
        script = "".join(
            f"{command}\ncode=$?\nprintf '{_MARK}%s{_MARK}' $code\n"
            # What waits for an earlier command's work would wait for ever.
            "[ $code -eq 0 ] || exit\n"
            for command in commands
        )
        answer = subprocess.run(
            ["bash", "-uo", "pipefail", "-c", f"exec 2>&1\n{_AWS}\n{script}"],
            cwd=self.folder,
            env=self._environment,
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        parts = answer.stdout.split(_MARK)
        return [
            Typed(command, int(code), printed)
            for command, printed, code in zip(commands, parts[::2], parts[1::2], strict=False)
        ]


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
