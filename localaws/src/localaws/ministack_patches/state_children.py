"""Step Functions: distributed Maps, nested executions and functions that a state machine starts.

A failed nested execution is `States.TaskFailed` with the child's description as the cause.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from threading import Thread
from typing import Any

from localaws.clock import Clock
from localaws.clocked_pool import ClockedPool
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Patches
from localaws.ministack_patches.state_calls import (
    INVOKE,
    READ_ITEMS,
    START_EXECUTION,
    StateCalls,
    nested_error,
)
from localaws.ministack_patches.state_history import map_run_events

_PATH_FIELDS = ("MaxConcurrency", "ToleratedFailurePercentage", "ToleratedFailureCount")
_LONGEST_EXECUTION = 366 * 86_400.0
_NESTED = "arn:aws:states:::states:startExecution.sync"
# Step Functions hears of a nested execution's end through this rule, and then describes the execution.
_RULE = "StepFunctionsGetEventsForStepFunctionsExecutionRule"
_RULE_ACTIONS = ("events:PutRule", "events:PutTargets", "events:DescribeRule")


class Children:
    """Starts what state machines start, by the clock's time and with their role."""

    def __init__(self, patches: Patches, clock: Clock, calls: StateCalls) -> None:
        self._clock = clock
        self._calls = calls
        self._states = service("stepfunctions")
        replace = patches.replace
        self._run_map = replace(self._states, "_run_distributed_map", self.run_map)
        replace(self._states, "_invoke_nested_start_execution_sync", self.run_nested)
        replace(self._states, "_invoke_resource_with_timeout", self.invoke_with_timeout)
        replace(self._states, "_call_lambda", self.call_function)
        self._read_object = replace(self._states, "_s3_object_text", self.read_object)
        replace(self._states, "ThreadPoolExecutor", partial(ClockedPool, clock))
        replace(self._states, "futures_wait", self.wait_for)

    def run_map(
        self,
        state: Mapping[str, Any],
        data: Any,
        effective: Any,
        processor: Mapping[str, Any],
        execution: dict[str, Any],
        context: dict[str, Any],
    ) -> Any:
        resolved = dict(state)
        for field in _PATH_FIELDS:
            path = resolved.pop(f"{field}Path", None)
            if path is not None:
                resolved[field] = self._states._resolve_path_or_ctx(path, effective, context)
        run = partial(self._run_map, resolved, data, effective, processor, execution, context)
        return map_run_events(self._states, execution, state.get("Label"), run)

    def wait_for(self, running: Sequence[Future[Any]]) -> None:
        def all_done() -> bool:
            return all(each.done() for each in running)

        self._clock.wait_until(all_done, _LONGEST_EXECUTION)

    def run_nested(
        self, resource: str, request: Mapping[str, Any], timeout: float = _LONGEST_EXECUTION
    ) -> dict[str, Any]:
        machine = request["StateMachineArn"]
        for action, needed in _needs_of_waiting(machine):
            self._calls.demand(action, needed)
        started = self._calls.make(
            START_EXECUTION, machine, request, partial(self._start_nested, request)
        )
        execution = self._states._executions.get(started)
        self._wait_for(execution, timeout)
        description = _description(execution, as_json=resource.endswith(":2"))
        if execution["status"] != "SUCCEEDED":
            raise self._states._ExecutionError("States.TaskFailed", json.dumps(description))
        return description

    def _start_nested(self, request: Mapping[str, Any]) -> str:
        status, _, body = self._states._start_execution(
            self._states._nested_start_execution_request(request)
        )
        answer = json.loads(body)
        if status != 200:
            raise self._states._ExecutionError(nested_error(answer["__type"]), answer["message"])
        return str(answer["executionArn"])

    def _wait_for(self, execution: Mapping[str, Any], timeout: float) -> None:
        if not self._clock.wait_until(lambda: execution["status"] != "RUNNING", timeout):
            self._calls.demand("states:StopExecution", execution["executionArn"])
            self._states._stop_execution({"executionArn": execution["executionArn"]})
            raise self._timeout(timeout)

    def invoke_with_timeout(self, resource: str, request: Any, timeout: float) -> Any:
        """Let a nested execution time out by the clock, and a function, which really computes, in real seconds."""
        if resource.startswith(_NESTED):
            return self.run_nested(resource, request, timeout)
        outcome: Future[Any] = Future()
        context = copy_context()

        def work() -> None:
            try:
                with self._clock.already_held():
                    result = context.run(self._states._invoke_resource, resource, request)
            except Exception as error:  # noqa: BLE001 - raised again by result
                outcome.set_exception(error)
            else:
                outcome.set_result(result)

        Thread(target=work, daemon=True, name="task").start()
        try:
            return outcome.result(timeout)
        except TimeoutError:
            raise self._timeout(timeout) from None

    def _timeout(self, seconds: float) -> Exception:
        error: Exception = self._states._ExecutionError(
            "States.Timeout", f"Task timed out after {seconds} seconds"
        )
        return error

    def call_function(self, reference: str, event: Any) -> Any:
        parameters = {"FunctionName": reference.rpartition(":function:")[2], "Payload": event}
        work = partial(self._invoke_function, reference, event)
        return self._calls.make(INVOKE, reference, parameters, work)

    def read_object(self, bucket: str, key: str) -> Any:
        """Read the items of a Map."""
        work = partial(self._read_object, bucket, key)
        resource = f"arn:aws:s3:::{bucket}/{key}"
        return self._calls.make(READ_ITEMS, resource, {"Bucket": bucket, "Key": key}, work)

    def _invoke_function(self, reference: str, event: Any) -> Any:
        functions = service("lambda_svc")
        function, configuration, name = functions._get_func_record_for_ref(reference)
        if not function or not configuration:
            raise self._states._ExecutionError(
                "Lambda.ResourceNotFoundException", f"Function not found: {name}"
            )
        record = functions._execution_record_for_config(function, configuration)
        result = functions._execute_function_with_config_scope(record, event)
        body = result.get("body")
        if result.get("throttle"):
            raise self._states._ExecutionError("Lambda.TooManyRequestsException", body["message"])
        if result.get("error"):
            raise self._states._ExecutionError(body["errorType"], json.dumps(body))
        return body


def _needs_of_waiting(machine: str) -> Iterator[tuple[str, str]]:
    """Actions, each with its resource, for waiting until a nested execution ends, in addition to its start."""
    account = machine.replace(":states:", ":events:").partition(":stateMachine:")[0]
    for action in _RULE_ACTIONS:
        yield action, f"{account}:rule/{_RULE}"
    execution = machine.replace(":stateMachine:", ":execution:")
    yield "states:DescribeExecution", f"{execution}:nested"


def _description(execution: Mapping[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Return what DescribeExecution says, spelled as Step Functions spells it to its own tasks."""
    parse = json.loads if as_json else str
    described = {
        "ExecutionArn": execution["executionArn"],
        "Input": parse(execution["input"]),
        "InputDetails": {"Included": True},
        "Name": execution["name"],
        "StartDate": execution["startDate"],
        "StateMachineArn": execution["stateMachineArn"],
        "Status": execution["status"],
        "StopDate": execution["stopDate"],
    }
    if execution["output"] is not None:
        described |= {
            "Output": parse(execution["output"]),
            "OutputDetails": {"Included": True},
        }
    for name in ("error", "cause"):
        if execution.get(name):
            described[name.capitalize()] = execution[name]
    return described
