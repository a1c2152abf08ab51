"""Runs a function that MiniStack's Lambda was asked to invoke, and reports as Lambda does."""

import hashlib
import json
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from threading import Barrier
from typing import Any

from localaws.callers import assume
from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.faults import CallerEnd
from localaws.lambda_runtime import log_controls
from localaws.lambda_runtime.environments import (
    EnvironmentDied,
    Environments,
    Function,
    FunctionTimedOut,
)
from localaws.limits import LAMBDA_PAYLOAD_MAX_BYTES

_Record = Mapping[str, Any]


class FunctionExecutor:
    """Invokes functions in warm processes; every outcome is one of MiniStack's result records."""

    def __init__(
        self, endpoint_url: Callable[[], str], clock: Clock, on_log: Callable[[str], None]
    ) -> None:
        self._endpoint_url = endpoint_url
        self._on_log = on_log
        self._clock = clock
        self._environments = Environments()

    def prepare(self) -> None:
        """Get ready for a first invocation that will come soon."""
        self._environments.start()

    def close(self) -> None:
        """End every function that runs, and refuse invocations: nobody waits for their answers."""
        self._environments.close()

    @contextmanager
    def closed(self) -> Iterator[None]:
        """End every function that runs, and refuse invocations within."""
        self.close()
        try:
            yield
        finally:
            self._environments.reopen()

    def stop(self) -> None:
        self._environments.stop()

    def end(self, trace_id: str, how: CallerEnd) -> None:
        """Let the function that made a call with this trace id go no further."""
        self._environments.end(trace_id, how)

    def cool_down(self) -> None:
        """Start the next invocation of every function in a new process."""
        self._environments.cool_down()

    def meeting(self, barrier: Barrier) -> AbstractContextManager[None]:
        """Let invocations of this thread begin only when those of the barrier's others have an environment as well."""
        return self._environments.meeting(barrier)

    def execute(self, record: _Record, event: Any, request_id: str) -> dict[str, Any]:
        """Execute a Python function in the place of MiniStack."""
        configuration = record.get("config") or record
        try:
            answer = self._environments.invoke(
                self._function(record, configuration), self._invocation(event, request_id)
            )
        except FunctionTimedOut as overrun:
            self._let_pass(overrun.unspent)
            return _timed_out(request_id, configuration)
        except EnvironmentDied:
            message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
            return _failure("Runtime.ExitError", message)
        self._let_pass(answer["slept"])
        log = log_controls.kept(answer["log"], configuration)
        self._on_log(log)
        return _result(answer | {"log": log})

    def _let_pass(self, seconds: float) -> None:
        """Let the time pass that a function has slept in its own process."""
        with self._clock.busy():
            self._clock.sleep(seconds)

    def _invocation(self, event: Any, request_id: str) -> dict[str, Any]:
        return {
            "event": event,
            "request_id": request_id,
            "trace_id": _unsampled_trace(),
            "now": self._clock.now().timestamp() if self._clock.moved else None,
            "wait_scale": self._clock.wait_scale,
        }

    def _function(self, record: _Record, configuration: _Record) -> Function:
        code = self._environments.unpack(configuration["CodeSha256"], record["code_zip"])
        layers = tuple(
            f"{self._unpacked_layer(layer['Arn'])}/python"
            for layer in configuration.get("Layers", [])
        )
        return Function(
            arn=configuration["FunctionArn"],
            handler=configuration["Handler"],
            timeout=float(configuration.get("Timeout", 3)),
            code=code,
            layers=layers,
            environment=tuple(sorted(self._environment(configuration, code).items())),
        )

    def _unpacked_layer(self, arn: str) -> str:
        archive = service("lambda_svc")._resolve_layer_zip(arn)
        return self._environments.unpack(hashlib.sha256(archive).hexdigest(), archive)

    def _environment(self, configuration: _Record, code: str) -> dict[str, str]:
        """Return Lambda's variables, the function's, and the endpoint, even where the template leaves it empty."""
        name = configuration["FunctionName"]
        region = configuration["FunctionArn"].split(":")[3]
        variables = configuration.get("Environment", {}).get("Variables", {})
        group = configuration.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{name}")
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "en_US.UTF-8",
            "TZ": "UTC",
            "HOME": tempfile.gettempdir(),
            "LAMBDA_TASK_ROOT": code,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{configuration['Runtime']}",
            "AWS_LAMBDA_FUNCTION_NAME": name,
            "AWS_LAMBDA_FUNCTION_VERSION": configuration.get("Version", "$LATEST"),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(configuration.get("MemorySize", 128)),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": group,
            "AWS_LAMBDA_LOG_STREAM_NAME": f"[$LATEST]{_digest(name)[:32]}",
            **log_controls.variables(configuration),
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            **_credentials(configuration),
            **{key: str(value) for key, value in variables.items()},
            "AWS_ENDPOINT_URL": variables.get("AWS_ENDPOINT_URL") or self._endpoint_url(),
        }


def _credentials(configuration: _Record) -> dict[str, str]:
    """Return credentials of the function's role."""
    role = configuration["Role"].rpartition("/")[2]
    credentials = assume(role, configuration["FunctionName"])
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
        "AWS_SESSION_TOKEN": credentials.token,
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _result(answer: Mapping[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        return {"body": answer["error"], "error": True, "log": answer["log"]}
    size = len(answer["result"])
    if size > LAMBDA_PAYLOAD_MAX_BYTES:
        message = (
            f"Response payload size ({size} bytes) exceeded maximum allowed payload size "
            f"({LAMBDA_PAYLOAD_MAX_BYTES} bytes)."
        )
        return _failure("Function.ResponseSizeTooLarge", message, answer["log"])
    return {"body": json.loads(answer["result"]), "log": answer["log"]}


def _failure(error_type: str, message: str, log: str = "") -> dict[str, Any]:
    body = {"errorMessage": message, "errorType": error_type}
    return {"body": body, "error": True, "log": log}


def _timed_out(request_id: str, configuration: _Record) -> dict[str, Any]:
    seconds = float(configuration.get("Timeout", 3))
    message = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    return _failure("Sandbox.Timedout", message, message)


def _unsampled_trace() -> str:
    return f"Root=1-{secrets.token_hex(4)}-{secrets.token_hex(12)};Parent={secrets.token_hex(8)};Sampled=0"
