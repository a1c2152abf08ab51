"""Step Functions, running: histories of every child, waits by our clock, retries and limits as on AWS.

MiniStack keeps no state events for iterations and child executions, caps retry delays at a minute, knows neither
`MaxDelaySeconds` nor a timeout of a whole execution, and lets states and histories grow without bounds.
"""

import json
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from localaws.clock import Clock
from localaws.embedded_ministack import service
from localaws.limits import EXECUTION_HISTORY_MAX_EVENTS, STATE_PAYLOAD_MAX_BYTES
from localaws.ministack_patches.patching import Mending

_Execution = dict[str, Any]
_WITH_EXECUTION = ("Task", "Map", "Parallel")


class Executions:
    """MiniStack's execution of state machines, with our own loop over the states."""

    def __init__(self, patching: Mending, clock: Clock) -> None:
        self._clock = clock
        self._states = service("stepfunctions")
        self._lock = threading.Lock()
        replace = patching.replace
        self._add_event = replace(self._states, "_add_event", self.add_event)
        self._start = replace(self._states, "_start_execution", self.start_execution)
        replace(self._states, "_run_execution", self.run_execution)
        replace(self._states, "_run_sub_machine", self.run_states)
        replace(self._states, "_scaled_sleep", clock.sleep)
        replace(self._states, "_sleep_until", self.sleep_until)
        self._find_retrier = replace(self._states, "_find_matching_retrier", self.find_retrier)

    def start_execution(self, request: Mapping[str, Any]) -> Any:
        """Start an execution; the same name and input once more is the running execution, as on AWS."""
        if running := self._same_running(request):
            return self._states.json_response(running)
        self._clock.hold()
        response = self._start(request)
        if response[0] != 200:
            self._clock.release()
        return response

    def run_execution(self, arn: str) -> None:
        execution = self._states._executions.get(arn)
        if execution.get("sync"):
            self._clock.hold()
        try:
            with self._clock.already_held():
                self._run_machine(execution)
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
        """Run an iteration, a branch, or a whole child execution of a distributed Map."""
        with self._clock.busy():
            if execution.get("mapRunArn") and not execution["events"]:
                return self._run_child(states, start_at, data, execution, context)
            return self._run(states, start_at, data, execution, context)

    def add_event(
        self, execution: _Execution, kind: str, details: Mapping[str, Any] | None = None
    ) -> Any:
        self._refuse_large(kind, details or {})
        with self._lock:
            if len(execution["events"]) >= EXECUTION_HISTORY_MAX_EVENTS and "Failed" not in kind:
                raise self._error(
                    "States.Runtime",
                    "The execution reached the maximum number of history events "
                    f"({EXECUTION_HISTORY_MAX_EVENTS}).",
                )
            return self._add_event(execution, kind, details)

    def sleep_until(self, timestamp: str) -> None:
        wake_at = datetime.fromisoformat(timestamp)
        self._clock.sleep((wake_at - self._clock.now()).total_seconds())

    def find_retrier(
        self, retriers: Sequence[Mapping[str, Any]], error: str, counts: Mapping[int, int]
    ) -> tuple[Mapping[str, Any] | None, int]:
        """Find the retrier and wait as it says; MiniStack then has nothing left to wait for."""
        retrier, index = self._find_retrier(retriers, error, counts)
        if retrier is None:
            return None, index
        self._clock.sleep(_retry_delay(retrier, counts.get(index, 0)))
        return {**retrier, "IntervalSeconds": 0}, index

    def _run_machine(self, execution: _Execution) -> None:
        machine = self._states._state_machines.get(execution["stateMachineArn"])
        definition = json.loads(machine["definition"])
        data = json.loads(execution["input"])
        context = {
            "QueryLanguage": definition.get("QueryLanguage", "JSONPath"),
            "Execution": {**_described(execution, data), "RoleArn": machine["roleArn"]},
            "StateMachine": {"Id": machine["stateMachineArn"], "Name": machine["name"]},
            "variables": {},
        }
        if "TimeoutSeconds" in definition:
            limit = timedelta(seconds=definition["TimeoutSeconds"])
            execution["deadline"] = self._clock.now() + limit
        try:
            output = self._run(
                definition["States"], definition["StartAt"], data, execution, context
            )
        except Exception as failure:  # noqa: BLE001 - becomes the execution's error
            self._finish_failed(execution, self._as_error(failure))
        else:
            self._finish_succeeded(execution, output)

    def _run_child(
        self,
        states: Mapping[str, Any],
        start_at: str,
        data: Any,
        execution: _Execution,
        context: dict[str, Any],
    ) -> Any:
        context["Execution"] = {**context["Execution"], **_described(execution, data)}
        self._states._add_event(
            execution,
            "ExecutionStarted",
            {"executionStartedEventDetails": {"input": execution["input"]}},
        )
        try:
            output = self._run(states, start_at, data, execution, context)
        except Exception as failure:
            error = self._as_error(failure)
            details = {"error": error.error, "cause": error.cause}
            self._states._add_event(
                execution, "ExecutionFailed", {"executionFailedEventDetails": details}
            )
            raise error from failure
        details = {"output": json.dumps(output)}
        self._states._add_event(
            execution, "ExecutionSucceeded", {"executionSucceededEventDetails": details}
        )
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
            context["State"] = {
                "Name": name,
                "EnteredTime": self._states.now_iso(),
                "RetryCount": 0,
            }
            entered = {"name": name, "input": json.dumps(data)}
            self._states._add_event(
                execution, f"{state['Type']}StateEntered", {"stateEnteredEventDetails": entered}
            )
            data, following = self._run_state(state, data, execution, context)
            self._check_running(execution)
            exited = {"name": name, "output": json.dumps(data)}
            self._states._add_event(
                execution, f"{state['Type']}StateExited", {"stateExitedEventDetails": exited}
            )
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

    def _finish_succeeded(self, execution: _Execution, output: Any) -> None:
        text = json.dumps(output)
        execution.update(status="SUCCEEDED", output=text, stopDate=self._states.now_iso())
        self._states._add_event(
            execution, "ExecutionSucceeded", {"executionSucceededEventDetails": {"output": text}}
        )
        self._states._emit_execution_status_event(execution)

    def _finish_failed(self, execution: _Execution, error: Any) -> None:
        if execution["status"] != "RUNNING":
            return
        timed_out = error.error == "States.Timeout" and "deadline" in execution
        status, event = ("TIMED_OUT", "TimedOut") if timed_out else ("FAILED", "Failed")
        details = {"error": error.error, "cause": error.cause}
        execution.update(status=status, stopDate=self._states.now_iso(), **details)
        self._states._add_event(
            execution, f"Execution{event}", {f"execution{event}EventDetails": details}
        )
        self._states._emit_execution_status_event(execution)

    def _refuse_large(self, kind: str, details: Mapping[str, Any]) -> None:
        for detail in details.values():
            for name in ("input", "output"):
                if len(detail.get(name, "")) > STATE_PAYLOAD_MAX_BYTES:
                    raise self._error(
                        "States.DataLimitExceeded",
                        f"The {name} of '{detail.get('name', kind)}' exceeds the maximum number "
                        f"of bytes service limit ({STATE_PAYLOAD_MAX_BYTES}).",
                    )

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
    """Have whatever still runs end at its next state; a local AWS does this before it goes."""
    for execution in service("stepfunctions")._executions._data.values():
        if execution["status"] == "RUNNING":
            execution["status"] = "ABORTED"


class _ExecutionStopped(Exception):
    """Somebody stopped the execution; its state and history say so already."""


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
