"""Step Functions: executions and their children, with waits by the clock, retries and a timeout as on AWS."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.iam.permissions import role_name
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.state_calls import StateCalls, acting_as
from localaws.ministack_patches.state_history import details_of

_Execution = dict[str, Any]
_WITH_EXECUTION = ("Task", "Map")


class Executions:
    """MiniStack's execution of state machines, with its own loop over the states."""

    def __init__(self, patches: Patches, clock: Clock, calls: StateCalls) -> None:
        self._clock = clock
        self._calls = calls
        self._states = service("stepfunctions")
        replace = patches.replace
        self._start = replace(self._states, "_start_execution", self.start_execution)
        replace(self._states, "_run_execution", self.run_execution)
        replace(self._states, "_run_sub_machine", self.run_states)
        replace(self._states, "_scaled_sleep", clock.sleep)
        self._find_retrier = replace(self._states, "_find_matching_retrier", self.find_retrier)

    def start_execution(self, request: Mapping[str, Any]) -> Any:
        """Start an execution, or return the running one that has the same name and input."""
        if running := self._same_running(request):
            return self._states.json_response(running)
        self._clock.hold()
        response = self._start(request)
        if response[0] != 200:
            self._clock.release()
        return response

    def run_execution(self, arn: str) -> None:
        execution = self._states._executions.get(arn)
        machine = self._states._state_machines.get(execution["stateMachineArn"])
        if execution.get("sync"):
            self._clock.hold()
        try:
            with self._clock.already_held(), acting_as(role_name(machine["roleArn"])):
                self._run_machine(machine, execution)
        finally:
            self._clock.release()

    def run_states(
        self,
        states: Mapping[str, Any],
        start_at: str,
        data: Any,
        execution: _Execution,
        context: dict[str, Any],
    ) -> Any:
        """Run an iteration, or a child execution of a distributed Map, which the Map starts and follows."""
        with self._clock.busy():
            if not execution.get("mapRunArn") or execution["events"]:
                return self._run(states, start_at, data, execution, context)
            machine = execution["stateMachineArn"].rpartition("/")[0]
            self._calls.demand("states:StartExecution", machine)
            self._calls.demand("states:DescribeExecution", execution["executionArn"])
            return self._run_child(states, start_at, data, execution, context)

    def find_retrier(
        self, retriers: Sequence[Mapping[str, Any]], error: str, counts: Mapping[int, int]
    ) -> tuple[Mapping[str, Any] | None, int]:
        """Find the retrier and wait as it says; MiniStack then has nothing left to wait for."""
        retrier, index = self._find_retrier(retriers, error, counts)
        if retrier is None:
            return None, index
        self._clock.sleep(_retry_delay(retrier, counts.get(index, 0)))
        return {**retrier, "IntervalSeconds": 0}, index

    def _run_machine(self, machine: Mapping[str, Any], execution: _Execution) -> None:
        definition = json.loads(machine["definition"])
        data = json.loads(execution["input"])
        context = {
            "QueryLanguage": "JSONPath",
            "Execution": {**_described(execution, data), "RoleArn": machine["roleArn"]},
            "StateMachine": {"Id": machine["stateMachineArn"], "Name": machine["name"]},
            "variables": {},
        }
        if "TimeoutSeconds" in definition:
            limit = timedelta(seconds=definition["TimeoutSeconds"])
            execution["deadline"] = self._clock.now() + limit
        states, start_at = definition["States"], definition["StartAt"]
        try:
            output = self._run(states, start_at, data, execution, context)
        except Exception as failure:  # noqa: BLE001 - becomes the execution's error
            self._finish_failed(execution, self._as_error(failure))
        else:
            text = json.dumps(output)
            execution.update(status="SUCCEEDED", output=text, stopDate=self._states.now_iso())
            self._write(execution, "ExecutionSucceeded", output=text)
            self._states._emit_execution_status_event(execution)

    def _run_child(
        self,
        states: Mapping[str, Any],
        start_at: str,
        data: Any,
        execution: _Execution,
        context: dict[str, Any],
    ) -> Any:
        context["Execution"] = {**context["Execution"], **_described(execution, data)}
        self._write(execution, "ExecutionStarted", input=execution["input"])
        try:
            output = self._run(states, start_at, data, execution, context)
        except Exception as failure:
            error = self._as_error(failure)
            self._write(execution, "ExecutionFailed", error=error.error, cause=error.cause)
            raise error from failure
        self._write(execution, "ExecutionSucceeded", output=json.dumps(output))
        return output

    def _run(
        self,
        states: Mapping[str, Any],
        start_at: str,
        data: Any,
        execution: _Execution,
        context: dict[str, Any],
    ) -> Any:
        name: str | None = start_at
        while name is not None:
            state = states[name]
            entered = self._states.now_iso()
            context["State"] = {"Name": name, "EnteredTime": entered, "RetryCount": 0}
            kind = f"{state['Type']}StateEntered"
            details = {"name": name, "input": json.dumps(data)}
            self._states._add_event(execution, kind, {"stateEnteredEventDetails": details})
            data, following = self._run_state(state, data, execution, context)
            self._check_running(execution)
            kind = f"{state['Type']}StateExited"
            details = {"name": name, "output": json.dumps(data)}
            self._states._add_event(execution, kind, {"stateExitedEventDetails": details})
            name = following
        return data

    def _run_state(
        self, state: Mapping[str, Any], data: Any, execution: _Execution, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        kind = state["Type"]
        if kind == "Succeed":
            selected = self._states._apply_input_path(state, data, context)
            return self._states._apply_output_path(state, selected, context), None
        if kind == "Fail":
            raise self._error(*self._states._fail_state_error(state, data, context))
        run: Callable[..., Any] = getattr(self._states, f"_execute_{kind.lower()}")
        if kind in _WITH_EXECUTION:
            return run(state, data, execution, context)  # type: ignore[no-any-return]
        return run(state, data, context)  # type: ignore[no-any-return]

    def _check_running(self, execution: _Execution) -> None:
        if execution["status"] != "RUNNING":
            raise _ExecutionStopped
        deadline = execution.get("deadline")
        if deadline is not None and self._clock.now() >= deadline:
            raise self._error("States.Timeout", "")

    def _finish_failed(self, execution: _Execution, error: Any) -> None:
        if execution["status"] != "RUNNING":
            return
        timed_out = error.error == "States.Timeout" and "deadline" in execution
        status, ending = ("TIMED_OUT", "TimedOut") if timed_out else ("FAILED", "Failed")
        details = {"error": error.error, "cause": error.cause}
        execution.update(status=status, stopDate=self._states.now_iso(), **details)
        self._write(execution, f"Execution{ending}", **details)
        self._states._emit_execution_status_event(execution)

    def _write(self, execution: _Execution, kind: str, **details: str) -> None:
        self._states._add_event(execution, kind, {details_of(kind): details})

    def _same_running(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        machine = str(request.get("stateMachineArn", ""))
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{request.get('name')}"
        execution = self._states._executions.get(arn)
        if execution is None or execution["status"] != "RUNNING":
            return None
        if execution["input"] != request.get("input", "{}"):
            return None
        return {"executionArn": arn, "startDate": execution["startDate"]}

    def _as_error(self, failure: Exception) -> Any:
        if isinstance(failure, self._states._ExecutionError):
            return failure
        return self._error("States.Runtime", str(failure))

    def _error(self, name: str, cause: str) -> Exception:
        error: Exception = self._states._ExecutionError(name, cause)
        return error


def abort_executions() -> None:
    """Let whatever still runs end at its next state; a local AWS does this before it stops."""
    for execution in service("stepfunctions")._executions._data.values():
        if execution["status"] == "RUNNING":
            execution["status"] = "ABORTED"


class _ExecutionStopped(Exception):
    """The execution was stopped; its state and history say so already."""


def _described(execution: _Execution, data: Any) -> dict[str, Any]:
    return {
        "Id": execution["executionArn"],
        "Input": data,
        "Name": execution["name"],
        "StartTime": execution["startDate"],
    }


def _retry_delay(retrier: Mapping[str, Any], count: int) -> float:
    delay: float = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** count
    delay = min(delay, retrier.get("MaxDelaySeconds", delay))
    if retrier.get("JitterStrategy") == "FULL":
        return random.uniform(0, delay)  # noqa: S311 - jitter guards nothing
    return delay
