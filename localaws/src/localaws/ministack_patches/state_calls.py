"""Step Functions: the calls that a state machine makes, with its role, recorded and exposed to faults as any call is.

They stay inside this process and do not pass the gateway. Step Functions reports their errors under its own names: those
of the client library that it calls with, or `States.ItemReaderFailed` for whatever keeps a Map from its items.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from localaws.calls import Call, CallLog
from localaws.clock import Clock
from localaws.embedded_ministack import core, service
from localaws.faults import Fault, Faults
from localaws.iam.keys import DECRYPT, bucket_key
from localaws.iam.needs import Need
from localaws.iam.permissions import AccessDenied, Permissions

_LATE_SECONDS = 900.0  # as late as a function may answer
_CALLER = "states.amazonaws.com"
_LOST = "SdkClientException"
# What StartExecution's own model names; everything else, denials and throttling too, is its client's base exception.
_OF_START_EXECUTION = frozenset(
    {
        "ExecutionAlreadyExists",
        "ExecutionLimitExceeded",
        "InvalidArn",
        "InvalidExecutionInput",
        "InvalidName",
        "StateMachineDeleting",
        "StateMachineDoesNotExist",
    }
)
_role: ContextVar[str | None] = ContextVar("role", default=None)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Make this role the one of the calls inside a `with` block."""
    token = _role.set(role)
    try:
        yield
    finally:
        _role.reset(token)


def lambda_error(code: str) -> str:
    return f"Lambda.{code}"


def reader_error(_: str) -> str:
    return "States.ItemReaderFailed"


def nested_error(code: str) -> str:
    if code == _LOST:
        return f"StepFunctions.{code}"
    modelled = code.removesuffix("Exception")
    known = modelled if modelled in _OF_START_EXECUTION else "AWSStepFunctions"
    return f"StepFunctions.{known}Exception"


@dataclass(frozen=True)
class Integration:
    """A call that a state machine can make, the action it needs, and Step Functions' names of its error codes."""

    service: str
    operation: str
    action: str
    error_name: Callable[[str], str]


INVOKE = Integration("lambda", "Invoke", "lambda:InvokeFunction", lambda_error)
READ_ITEMS = Integration("s3", "GetObject", "s3:GetObject", reader_error)
START_EXECUTION = Integration(
    "stepfunctions", "StartExecution", "states:StartExecution", nested_error
)


class StateCalls:
    """Makes the calls of the state machines that run here."""

    def __init__(
        self, clock: Clock, calls: CallLog, faults: Faults, permissions: Permissions
    ) -> None:
        self._clock = clock
        self._calls = calls
        self._faults = faults
        self._permissions = permissions

    def demand(self, action: str, resource: str) -> None:
        """Fail the state unless the state machine's role allows the action."""
        role = _role.get()
        if role is None:
            return
        try:
            self._permissions.demand(role, Need(action, resource))
        except AccessDenied as denied:
            raise _error("States.Permissions", str(denied)) from denied

    @staticmethod
    def _key_of(bucket: str) -> str | None:
        return bucket_key(bucket, core("responses").get_region())

    def make(
        self,
        integration: Integration,
        resource: str,
        parameters: Mapping[str, Any],
        work: Callable[[], Any],
    ) -> Any:
        """Return the result of `work`, unless the role does not allow the call or a fault hits it."""
        self.demand(integration.action, resource)
        if integration is READ_ITEMS and (key := self._key_of(parameters["Bucket"])):
            self.demand(DECRYPT, key)
        called = (integration.service, integration.operation)
        fault = self._faults.spend(*called, _CALLER, parameters)
        error_code = None
        try:
            return work() if fault is None else self._hit(integration, fault, work)
        except Exception as failure:
            error_code = getattr(failure, "error", type(failure).__name__)
            raise
        finally:
            call = Call(*called, _CALLER, lambda: parameters, error_code, _role.get())
            self._calls.record(call)

    def _hit(self, integration: Integration, fault: Fault, work: Callable[[], Any]) -> Any:
        time.sleep(fault.delay_seconds)
        lost = _error(integration.error_name(_LOST), "Connection reset")
        if fault.error is not None:
            cause = f"{fault.message} (Error Code: {fault.error})"
            raise _error(integration.error_name(fault.error), cause)
        if fault.reset == "before":
            raise lost
        result = work()
        self._end_function(fault)
        if fault.reset == "after":
            raise lost
        return result

    def _end_function(self, fault: Fault) -> None:
        """End a function that has done its work before its answer comes, if the fault says so."""
        if fault.ends == "killed":
            raise _error("Runtime.ExitError", "Runtime exited")
        if fault.ends == "timed out":
            self._clock.sleep(_LATE_SECONDS)
            raise _error("States.Timeout", "Task timed out")


def _error(name: str, cause: str) -> Exception:
    error: Exception = service("stepfunctions")._ExecutionError(name, cause)
    return error
