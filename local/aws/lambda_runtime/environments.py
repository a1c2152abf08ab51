"""Lambda's execution environments, from the outside: started on demand, kept warm, killed when they hang."""

import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

_MOST_AT_ONCE = 4 * (os.cpu_count() or 1)
_RUNTIME = Path(__file__).with_name("python_runtime.py")


@dataclass(frozen=True)
class Function:
    """What makes two execution environments interchangeable."""

    arn: str
    handler: str
    timeout: float
    code: str
    layers: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]

    def settings(self) -> dict[str, Any]:
        return {**asdict(self), "environment": dict(self.environment)}


class FunctionTimedOut(Exception):
    """The handler ran past its function's timeout; its environment is gone."""


class EnvironmentDied(Exception):
    """The process of an execution environment ended while it worked."""


class _Environment:
    def __init__(self, process_id: int, connection: Connection) -> None:
        self._process_id = process_id
        self._connection = connection

    def invoke(self, invocation: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        try:
            self._connection.send_bytes(json.dumps(invocation).encode())
            if not self._connection.poll(timeout):
                raise FunctionTimedOut
            answer = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise EnvironmentDied from error
        return answer  # type: ignore[no-any-return]

    def kill(self) -> None:
        self._connection.close()
        with suppress(ProcessLookupError):
            os.kill(self._process_id, signal.SIGKILL)


class Environments:
    """All execution environments of a local AWS, and the process that forks them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Function, list[_Environment]] = defaultdict(list)
        self._busy: set[_Environment] = set()
        self._runtime: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._code = _UnpackedCode()
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)

    def start(self) -> None:
        """Start the runtime ahead of the first invocation."""
        with self._lock:
            if self._control is None:
                self._start_runtime()

    def unpack(self, digest: str, archive: bytes) -> str:
        return self._code.directory(digest, archive)

    def invoke(self, function: Function, invocation: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke in a warm environment, or a new one; more invocations than this machine runs at once queue."""
        with self._places:
            environment = self._lease(function)
            try:
                answer = environment.invoke(invocation, function.timeout)
            except BaseException:
                self._discard(environment)
                raise
            with self._lock:
                self._busy.discard(environment)
                self._idle[function].append(environment)
        return answer

    def stop(self) -> None:
        with self._lock:
            idle = [environment for pool in self._idle.values() for environment in pool]
            for environment in [*idle, *self._busy]:
                environment.kill()
            self._idle.clear()
            if self._control is not None:
                self._control.close()
            if self._runtime is not None:
                self._runtime.wait()
            self._runtime = self._control = None
        self._code.remove()

    def _lease(self, function: Function) -> _Environment:
        with self._lock:
            pool = self._idle[function]
            environment = pool.pop() if pool else self._fork(function)
            self._busy.add(environment)
        return environment

    def _discard(self, environment: _Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
        environment.kill()

    def _fork(self, function: Function) -> _Environment:
        control = self._control or self._start_runtime()
        ours, theirs = socket.socketpair()
        message = json.dumps(function.settings()).encode()
        with theirs:
            socket.send_fds(control, [len(message).to_bytes(4, "big")], [theirs.fileno()])
            control.sendall(message)
        process_id = int.from_bytes(control.recv(8), "big")
        return _Environment(process_id, Connection(ours.detach()))

    def _start_runtime(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            descriptor = theirs.fileno()
            command = [sys.executable, "-P", str(_RUNTIME), str(descriptor)]
            self._runtime = subprocess.Popen(command, pass_fds=[descriptor], env=_clean())
        self._control = ours
        return ours


class _UnpackedCode:
    """Deployment packages, unpacked once each into a directory that all environments share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._root: Path | None = None

    def directory(self, digest: str, archive: bytes) -> str:
        with self._lock:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix="local-lambda-"))
            directory = self._root / digest.replace("/", "_")
            if not directory.exists():
                with zipfile.ZipFile(io.BytesIO(archive)) as package:
                    package.extractall(directory)
            return str(directory)

    def remove(self) -> None:
        with self._lock:
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
            self._root = None


def _clean() -> dict[str, str]:
    """The surroundings without AWS settings or search paths of the user's own."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))
    }
