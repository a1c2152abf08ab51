"""Lambda's execution environments, from the outside: started on demand, kept warm, killed when they hang."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from localaws.faults import CallerEnd
from localaws.lambda_runtime.unpacked_code import UnpackedCode

_MOST_AT_ONCE = 4 * (os.cpu_count() or 1)
_MOST_WARM = 40
_RUNTIME = Path(__file__).with_name("python_runtime.py")


@dataclass(frozen=True)
class Function:
    """The settings by which two execution environments are interchangeable."""

    arn: str
    handler: str
    timeout: float
    code: str
    layers: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]

    def settings(self) -> dict[str, Any]:
        return {**asdict(self), "environment": dict(self.environment)}


class FunctionTimedOut(Exception):
    """The handler ran past its function's timeout; its environment is gone. `unspent` seconds of it did not pass."""

    def __init__(self, unspent: float = 0.0) -> None:
        super().__init__()
        self.unspent = unspent


class EnvironmentDied(Exception):
    """The process of an execution environment ended while it worked."""


class _Environment:
    def __init__(self, process_id: int, connection: Connection) -> None:
        self._process_id = process_id
        self._connection = connection
        self._timed_out = False

    def invoke(self, invocation: Mapping[str, Any], timeout: float) -> dict[str, Any]:
        started = time.monotonic()
        try:
            self._connection.send_bytes(json.dumps(invocation).encode())
            if not self._connection.poll(timeout):
                raise FunctionTimedOut
            answer = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            if self._timed_out:
                raise FunctionTimedOut(timeout - time.monotonic() + started) from error
            raise EnvironmentDied from error
        return answer  # type: ignore[no-any-return]

    def end(self, how: CallerEnd) -> None:
        """Kill the process while it works, for whatever reason the function is to report."""
        self._timed_out = how == "timed out"
        self._kill_process()

    def kill(self) -> None:
        self._connection.close()
        self._kill_process()

    def _kill_process(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self._process_id, signal.SIGKILL)


class PythonRuntime:
    """A process that forks execution environments, outlives a local AWS and serves the next one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def start(self) -> None:
        """Start ahead of the first invocation: importing what functions need takes a second."""
        with self._lock:
            self._started()

    def fork(self, function: Function) -> _Environment:
        ours, theirs = socket.socketpair()
        message = json.dumps(function.settings()).encode()
        with theirs, self._lock:
            control = self._started()
            socket.send_fds(control, [len(message).to_bytes(4, "big")], [theirs.fileno()])
            control.sendall(message)
            process_id = int.from_bytes(control.recv(8), "big")
        return _Environment(process_id, Connection(ours.detach()))

    def _started(self) -> socket.socket:
        if self._control is None or self._process is None or self._process.poll() is not None:
            ours, theirs = socket.socketpair()
            with theirs:
                command = [sys.executable, "-P", str(_RUNTIME), str(theirs.fileno())]
                self._process = subprocess.Popen(  # noqa: S603 - our own script
                    command, pass_fds=[theirs.fileno()], env=_clean()
                )
            self._control = ours
        return self._control


_runtime = PythonRuntime()
_code = UnpackedCode()


class Environments:
    """The execution environments of one local AWS."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[Function, list[_Environment]] = defaultdict(list)
        self._busy: set[_Environment] = set()
        self._by_trace: dict[str, _Environment] = {}
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._thread = threading.local()
        self._is_closed = False

    def start(self) -> None:
        _runtime.start()

    def unpack(self, digest: str, archive: bytes) -> str:
        return _code.directory(digest, archive)

    @contextmanager
    def meeting(self, barrier: threading.Barrier) -> Iterator[None]:
        """Let invocations of this thread begin only when those of the barrier's others have an environment as well."""
        self._thread.barrier = barrier
        try:
            yield
        finally:
            self._thread.barrier = None

    def invoke(self, function: Function, invocation: Mapping[str, Any]) -> dict[str, Any]:
        """Invoke in a warm environment, or a new one; more invocations than this machine runs at once queue."""
        with self._places:
            environment = self._lease(function)
            trace = _root_of(invocation["trace_id"])
            self._by_trace[trace] = environment
            self._meet()
            try:
                answer = environment.invoke(invocation, function.timeout)
            except BaseException:
                self._discard(environment)
                raise
            finally:
                del self._by_trace[trace]
            self._keep_warm(function, environment)
        return answer

    def end(self, trace_id: str, how: CallerEnd) -> None:
        """End the invocation that made a call with this trace id; any other caller has no process here."""
        environment = self._by_trace.get(_root_of(trace_id))
        if environment is not None:
            environment.end(how)

    def cool_down(self) -> None:
        """Forget warm environments, with what their processes remember."""
        with self._lock:
            for environment in [each for pool in self._idle.values() for each in pool]:
                environment.kill()
            self._idle.clear()

    def close(self) -> None:
        """End every invocation now, and refuse those that follow, as if their processes died."""
        with self._lock:
            self._is_closed = True
            for environment in self._busy:
                environment.end("killed")

    def reopen(self) -> None:
        self._is_closed = False

    def stop(self) -> None:
        self.cool_down()
        self.close()

    def _meet(self) -> None:
        barrier = getattr(self._thread, "barrier", None)
        if barrier is not None:
            with suppress(threading.BrokenBarrierError):  # the other one could not be invoked
                barrier.wait()

    def _lease(self, function: Function) -> _Environment:
        with self._lock:
            pool = self._idle[function]
            environment = pool.pop() if pool else None
        environment = environment or _runtime.fork(function)
        with self._lock:
            if not self._is_closed:
                self._busy.add(environment)
                return environment
        environment.kill()
        raise EnvironmentDied

    def _keep_warm(self, function: Function, environment: _Environment) -> None:
        """Put an environment back; past the number that fits in memory, one of the most plentiful goes."""
        with self._lock:
            self._busy.discard(environment)
            self._idle[function].append(environment)
            surplus = None
            if sum(map(len, self._idle.values())) > _MOST_WARM:
                surplus = max(self._idle.values(), key=len).pop(0)
        if surplus is not None:
            surplus.kill()

    def _discard(self, environment: _Environment) -> None:
        with self._lock:
            self._busy.discard(environment)
        environment.kill()


def _root_of(trace_id: str) -> str:
    """Return the root of a trace id, which stays when segments are added to it."""
    return next((part for part in trace_id.split(";") if part.startswith("Root=")), "")


def _clean() -> dict[str, str]:
    """Return the environment variables without the user's AWS settings and search paths."""
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))
    }
