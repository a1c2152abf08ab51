"""Step Functions, calling: what a state machine asks of other services is recorded, and befallen by faults as any call is.

These calls stay inside this process, so they do not pass the door. Step Functions tells their errors by names of its
own: those of the client library that it calls with, or `States.ItemReaderFailed` for whatever keeps a Map from its list.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.calls import Call, CallLog
from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.faults import Fault, Faults
from localaws.ministack_patches.state_permissions import current_role

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
    """A call that a state machine can make, and how Step Functions names an error code of it."""

    service: str
    operation: str
    error_name: Callable[[str], str]


INVOKE = Integration("lambda", "Invoke", lambda_error)
READ_ITEMS = Integration("s3", "GetObject", reader_error)
START_EXECUTION = Integration("stepfunctions", "StartExecution", nested_error)


class StateCalls:
    """Makes the calls of the state machines that run here."""

    def __init__(self, clock: Clock, calls: CallLog, faults: Faults) -> None:
        self._clock = clock
        self._calls = calls
        self._faults = faults

    def make(
        self, integration: Integration, parameters: Mapping[str, Any], work: Callable[[], Any]
    ) -> Any:
        """What `work` answers, unless a fault befalls the call."""
        role = current_role()
        called = (integration.service, integration.operation)
        fault = self._faults.spend(*called, _CALLER, parameters)
        error_code = None
        try:
            return work() if fault is None else self._befallen(integration, fault, work)
        except Exception as failure:
            error_code = getattr(failure, "error", type(failure).__name__)
            raise
        finally:
            self._calls.record(Call(*called, _CALLER, lambda: parameters, error_code, role))

    def _befallen(self, integration: Integration, fault: Fault, work: Callable[[], Any]) -> Any:
        time.sleep(fault.delay_seconds)
        lost = _error(integration.error_name(_LOST), "Connection reset")
        if fault.error is not None:
            cause = f"{fault.message} (Error Code: {fault.error})"
            raise _error(integration.error_name(fault.error), cause)
        if fault.reset == "before":
            raise lost
        result = work()
        self._end_as_destined(fault)
        if fault.reset == "after":
            raise lost
        return result

    def _end_as_destined(self, fault: Fault) -> None:
        """What becomes of a function that has done its work, but whose answer never comes."""
        if fault.ends == "killed":
            raise _error("Runtime.ExitError", "Runtime exited")
        if fault.ends == "timed out":
            self._clock.sleep(_LATE_SECONDS)
            raise _error("States.Timeout", "Task timed out")


def _error(name: str, cause: str) -> Exception:
    error: Exception = service("stepfunctions")._ExecutionError(name, cause)
    return error
