"""Lambda's own runtime client under Lambda's runtime interface emulator, which the SAM CLI brings along."""

import json
import platform
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO
from urllib.error import URLError

from tests.support.project import PROJECT

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
_PATH = "/2015-03-31/functions/function/invocations"
_SECONDS_TO_LISTEN = 300
_TRIES = 3


def emulator() -> Path | None:
    """The SAM CLI's emulator for this machine; None where there is none."""
    samcli = find_spec("samcli")
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if sys.platform != "linux" or samcli is None or samcli.origin is None or not architecture:
        return None
    folder = Path(samcli.origin).parent / "local" / "rapid"
    found = folder / f"aws-lambda-rie-{architecture}"
    return found if found.exists() else None


def why_not() -> str | None:
    """What is missing for it, if anything."""
    if emulator() is None:
        return "the SAM CLI has no runtime interface emulator for this machine"
    if find_spec("awslambdaric") is None:
        return "awslambdaric is not installed; make setup installs it on Linux"
    return None


class RuntimeEmulator:
    """One function in one execution environment."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}{_PATH}"

    def invoke(self, event: Mapping[str, Any]) -> Any:
        request = urllib.request.Request(self._url, json.dumps(event).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=900) as response:
            return json.load(response)


@contextmanager
def emulated(
    configuration: Mapping[str, Any], environment: Mapping[str, str], work: Path
) -> Iterator[RuntimeEmulator]:
    """Serve a deployed function with its own memory, timeout and environment."""
    with (work / "log").open("wb") as log:
        process, port = _listening(configuration, _variables(configuration, environment), log)
        try:
            yield RuntimeEmulator(port)
        finally:
            process.terminate()
            process.wait(300)


def _listening(
    configuration: Mapping[str, Any], variables: Mapping[str, str], log: BinaryIO
) -> tuple[subprocess.Popen[bytes], int]:
    """Return an emulator that listens, and its port; somebody else can take a port before it does."""
    for _ in range(_TRIES):
        port, api_port = _free_ports()
        process = subprocess.Popen(
            [
                str(emulator()),
                f"--runtime-interface-emulator-address=127.0.0.1:{port}",
                f"--runtime-api-address=127.0.0.1:{api_port}",
                *(sys.executable, "-m", "awslambdaric", configuration["Handler"]),
            ],
            cwd=PROJECT / "functions",
            env=variables,
            stdout=log,
            stderr=log,
        )
        if _listens(port, process):
            return process, port
        process.kill()
        process.wait(300)
    raise RuntimeError("the runtime interface emulator does not listen")


def _variables(configuration: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    own = {**configuration["Environment"]["Variables"]}
    # The template leaves it empty for AWS; a deployment to the local AWS sets it.
    own["AWS_ENDPOINT_URL"] = environment["AWS_ENDPOINT_URL"]
    return {
        "PATH": environment["PATH"],
        "PYTHONPATH": str(PROJECT / "functions"),
        "LAMBDA_TASK_ROOT": str(PROJECT / "functions"),
        "AWS_LAMBDA_FUNCTION_NAME": configuration["FunctionName"],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration["MemorySize"]),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(configuration["Timeout"]),
        "AWS_REGION": environment["AWS_DEFAULT_REGION"],
        "AWS_DEFAULT_REGION": environment["AWS_DEFAULT_REGION"],
        "AWS_ACCESS_KEY_ID": environment["AWS_ACCESS_KEY_ID"],
        "AWS_SECRET_ACCESS_KEY": environment["AWS_SECRET_ACCESS_KEY"],
        "POWERTOOLS_TRACE_DISABLED": "1",  # there is no X-Ray daemon
        **own,
    }


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(other.getsockname()[1])


def _listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until it does; False if it has ended, or listens nowhere."""
    deadline = time.monotonic() + _SECONDS_TO_LISTEN
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60)
        except URLError as error:
            if isinstance(error.reason, ConnectionRefusedError):
                time.sleep(0.05)
                continue
        return process.poll() is None
    return False
