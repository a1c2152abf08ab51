"""The Python runtime of the local Lambda: one process that forks an environment per concurrent invocation.

A script of its own, so that handlers see their own code and what is installed, nothing of the local AWS. Its
parent asks for an environment over a Unix socket and talks to it over the connection that it passes along.
"""

import gc
import importlib
import io
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import make_dataclass
from functools import cache, partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

# Nothing that looks at the environment when it is imported.
_PRELOADED_MODULES = (
    "annotated_types",
    "asyncio",
    "aws_lambda_powertools.logging",
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.typing",
    "boto3.dynamodb.types",
    "numpy.ma",
    "numpy.typing",
    "requests",
    "sqlite3",
    "time_machine",
    "wrapt",
    "yaml",
)
_sleep_for_real = time.sleep
# Imports and clients allocate what stays: collections in between find nothing.
_ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000
_PRELOADED_CLIENTS = ("cloudwatch", "dynamodb", "s3", "sagemaker", "sns", "stepfunctions")


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _reap)
    if sys.platform == "linux":
        _preload()
    while True:
        length, descriptors, _, _ = socket.recv_fds(control, 4, 1)
        if not length:
            return
        function = _receive(control, int.from_bytes(length, "big"))
        process_id = os.fork()
        if process_id == 0:
            control.close()
            _run_environment(Connection(descriptors[0]), json.loads(function))
        os.close(descriptors[0])
        control.sendall(process_id.to_bytes(8, "big"))


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


def _preload() -> None:
    """Import and parse once, before forking, what every environment would import and parse on its own."""
    for name in _PRELOADED_MODULES:
        with suppress(ImportError):
            importlib.import_module(name)
    with suppress(ImportError):
        _preload_validation()
    with suppress(ImportError):
        _preload_tracing()
    with suppress(ImportError):
        _preload_service_models()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)


def _preload_validation() -> None:
    """Let pydantic import what it imports with its first validator, and look for its plugins."""
    import pydantic  # noqa: PLC0415 - the functions' own, if they have one

    pydantic.TypeAdapter(make_dataclass("Any", [("number", int)]))


def _preload_tracing() -> None:
    """Import the X-Ray SDK as in a function; `_start_tracing` lets it look at the environment again."""
    os.environ["LAMBDA_TASK_ROOT"] = "/var/task"
    importlib.import_module("aws_xray_sdk.ext.botocore.patch")


def _start_tracing() -> None:
    """Configure the recorder, the only part of the X-Ray SDK that reads the environment when it is imported."""
    if core := sys.modules.get("aws_xray_sdk.core"):
        core.xray_recorder.__init__()


def _preload_service_models() -> None:
    import boto3  # noqa: PLC0415 - the functions' own, if they have one
    import botocore.session  # noqa: PLC0415

    _remember_event_aliases()
    # One loader for all sessions: each would list the folders of all services and parse the models again.
    botocore.session.create_loader = cache(botocore.session.create_loader)
    session = boto3.Session("local", "local", region_name="us-east-1")
    for service in _PRELOADED_CLIENTS:
        session.client(service)  # type: ignore[call-overload]


def _remember_event_aliases() -> None:
    """Translate an event's name once for all clients: each of them registers the same hundreds of handlers."""
    from botocore.hooks import EVENT_ALIASES, EventAliaser  # noqa: PLC0415 - as above

    aliasers: Any = EventAliaser
    initialize = aliasers.__init__
    translated: dict[str, str] = {}

    def initialize_with_translations(aliaser: Any, *arguments: Any, **named: Any) -> None:
        initialize(aliaser, *arguments, **named)
        if aliaser._event_aliases == EVENT_ALIASES:
            aliaser._alias_name_cache = translated

    aliasers.__init__ = initialize_with_translations


def _run_environment(connection: Connection, function: dict[str, Any]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 0
    try:
        _Environment(connection, function).serve()
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

    def serve(self) -> NoReturn:
        while True:
            invocation = json.loads(self._connection.recv_bytes())
            self._set_clock(invocation["now"], invocation["wait_scale"])
            answer = self._invoke(invocation)
            answer["log"] = self._log.getvalue()
            answer["slept"], self._slept = self._slept, 0.0
            self._log.seek(0)
            self._log.truncate()
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
