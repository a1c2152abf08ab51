"""The Python runtime of the local Lambda: one process that forks an environment per concurrent invocation.

A script of its own, so that handlers see their own code and what is installed, nothing of the local AWS. Its
parent asks for an environment over a Unix socket and talks to it over the connection that it passes along.
"""

import importlib
import importlib.util
import io
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

_sleep_for_real = time.sleep


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _reap)
    if sys.platform == "linux":
        _sibling("preloading").preload()
    generated = _sibling("generated_code").GeneratedCode()
    generated.install()
    while True:
        length, descriptors, _, _ = socket.recv_fds(control, 4, 1)
        if not length:
            return
        function = _receive(control, int.from_bytes(length, "big"))
        generated.learn()
        process_id = os.fork()
        if process_id == 0:
            control.close()
            _run_environment(Connection(descriptors[0]), json.loads(function), generated.share)
        os.close(descriptors[0])
        control.sendall(process_id.to_bytes(8, "big"))


def _sibling(name: str) -> Any:
    """Import another part of this script, without a place in sys.modules or on handlers' search path."""
    spec: Any = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _reap(*_: object) -> None:
    """Wait for environments that have ended; if they were ignored, their processor time would count for nobody."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _receive(control: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        received += control.recv(length - len(received))
    return received


def _start_tracing() -> None:
    """Configure the recorder, the only part of the X-Ray SDK that reads the environment when it is imported."""
    if core := sys.modules.get("aws_xray_sdk.core"):
        core.xray_recorder.__init__()


def _run_environment(
    connection: Connection, function: dict[str, Any], share: Callable[[], None]
) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 0
    try:
        _Environment(connection, function).serve(share)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except EOFError:
        pass
    finally:
        os._exit(status)


def _name_process(name: str) -> None:
    """Distinguish functions in lists of processes, where the system lets a process name itself."""
    with suppress(OSError), Path("/proc/self/comm").open("w") as own:
        own.write(name)


class _Environment:
    """One execution environment: a handler, imported at the first invocation, invoked again and again."""

    def __init__(self, connection: Connection, function: dict[str, Any]) -> None:
        self._connection = connection
        self._function = function
        self._log = io.StringIO()
        self._handler: Any = None
        self._clock: Any = None
        _name_process(function["handler"].rpartition(".")[0])
        self._slept = 0.0
        os.environ.clear()
        os.environ.update(function["environment"])
        time.tzset()
        os.chdir(function["code"])
        sys.path[:0] = [function["code"], *function["layers"]]
        _start_tracing()
        sys.stdout = sys.stderr = self._log

    def serve(self, share: Callable[[], None]) -> NoReturn:
        while True:
            invocation = json.loads(self._connection.recv_bytes())
            self._set_clock(invocation["now"], invocation["wait_scale"])
            answer = self._invoke(invocation)
            answer["log"] = self._log.getvalue()
            answer["slept"], self._slept = self._slept, 0.0
            self._log.seek(0)
            self._log.truncate()
            share()
            self._connection.send_bytes(json.dumps(answer).encode())

    def _invoke(self, invocation: dict[str, Any]) -> dict[str, Any]:
        os.environ["_X_AMZN_TRACE_ID"] = invocation["trace_id"]
        try:
            if self._handler is None:
                self._handler = self._import_handler()
            result = self._handler(invocation["event"], _Context(self._function, invocation))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises
            traceback.print_exc(file=self._log)
            return {"error": _described(error)}
        try:
            return {"result": json.dumps(result)}
        except (TypeError, ValueError) as error:
            message = f"Unable to marshal response: {error}"
            return {"error": _named("Runtime.MarshalError", message)}

    def _import_handler(self) -> Any:
        module_name, _, handler_name = self._function["handler"].rpartition(".")
        try:
            module = importlib.import_module(module_name.replace("/", "."))
        except ImportError as error:
            message = f"Unable to import module '{module_name}': {error}"
            raise _RuntimeFault("Runtime.ImportModuleError", message) from error
        try:
            return getattr(module, handler_name)
        except AttributeError:
            message = f"Handler '{handler_name}' missing on module '{module_name}'"
            raise _RuntimeFault("Runtime.HandlerNotFound", message) from None

    def _set_clock(self, now: float | None, wait_scale: float) -> None:
        if now is None:
            return
        if self._clock is None:
            import time_machine  # noqa: PLC0415 - only where the clock was moved

            self._clock = time_machine.travel(now, tick=True).start()
            time.sleep = partial(self._sleep, wait_scale)
            _skip_waits_of_adaptive_clients()
        else:
            self._clock.move_to(now, tick=True)

    def _sleep(self, wait_scale: float, seconds: float) -> None:
        """Skip a handler's own pauses, such as botocore's between two attempts, as any other wait."""
        _sleep_for_real(seconds * wait_scale)
        self._clock.shift(seconds * (1 - wait_scale))
        self._slept += seconds * (1 - wait_scale)


def _skip_waits_of_adaptive_clients() -> None:
    """Let botocore's token bucket pause by time.sleep, as its other retries do, instead of by a condition."""
    with suppress(ImportError):
        bucket: Any = importlib.import_module("botocore.retries.bucket")
        bucket.threading = SimpleNamespace(Lock=threading.Lock, Condition=_SleepingCondition)


class _SleepingCondition(threading.Condition):
    """A condition whose wait lasts for its timeout, by a clock that can skip."""

    def wait(self, timeout: float | None = None) -> bool:
        time.sleep(timeout or 0)
        return True


class _Context:
    """The context object that Lambda hands to a handler."""

    identity = None
    client_context = None

    def __init__(self, function: dict[str, Any], invocation: dict[str, Any]) -> None:
        environment = function["environment"]
        self.function_name = environment["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = environment["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = environment["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = environment["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn = function["arn"]
        self.aws_request_id = invocation["request_id"]
        self._deadline = time.monotonic() + function["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class _RuntimeFault(Exception):
    """A failure that Lambda names itself, not by the class of an exception."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def _described(error: Exception) -> dict[str, Any]:
    name = error.name if isinstance(error, _RuntimeFault) else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return _named(name, str(error)) | {"stackTrace": traceback.format_list(frames)}


def _named(name: str, message: str) -> dict[str, Any]:
    return {"errorMessage": message, "errorType": name}


if __name__ == "__main__":
    main()
