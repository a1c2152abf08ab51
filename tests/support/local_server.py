"""`cutwatch local` in a process of its own, as a user starts it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from tests.support.project import PROJECT, SEARCHED

BIN = Path(sys.executable).parent
_COMMAND = [sys.executable, "-c", "from cutwatch_cli.main import main; main()"]
# What could reach a real account, or send anything anywhere, stays out.
_SETTINGS = {"SAM_CLI_TELEMETRY": "0", "AWS_PAGER": "", "AWS_CONFIG_FILE": os.devnull}


class LocalServer:
    """A running one: the environment that it printed, and tools run in that environment."""

    def __init__(self, printed: Mapping[str, str]) -> None:
        surroundings = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        path = os.pathsep.join([str(BIN), surroundings.get("PATH", "")])
        self.endpoint_url = printed["AWS_ENDPOINT_URL"]
        self.environment = {**surroundings, **_SETTINGS, **printed, "PATH": path}

    @property
    def port(self) -> str:
        return self.endpoint_url.rpartition(":")[2]

    def run(
        self, *command: str | Path, timeout: float = 600, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=PROJECT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def sam(self, *arguments: str) -> str:
        """What `sam` printed; it must succeed."""
        answer = self.run(BIN / "sam", *arguments)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


@contextmanager
def cutwatch_local(*options: str) -> Iterator[LocalServer]:
    """Start it on a free port and stop it as Ctrl-C's gentler sister does."""
    process = subprocess.Popen(
        [*_COMMAND, "local", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(SEARCHED)},
    )
    assert process.stdout is not None
    try:
        yield LocalServer(json.loads(process.stdout.readline())["environment"])
    finally:
        process.terminate()
        process.wait(300)
        process.stdout.close()
