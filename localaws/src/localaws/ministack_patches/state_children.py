"""Step Functions, starting others: distributed Maps, nested executions, functions.

MiniStack ignores the `...Path` spellings of a Map's limits, runs a nested execution as an express one, and gives
its failure the child's error name; on AWS it is `States.TaskFailed` with the child's description as the cause.
It counts no invocation by a state machine among Lambda's metrics.
"""

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from copy import deepcopy
from functools import partial
from threading import Thread
from typing import Any

from localaws.clock import Clock
from localaws.clocked_pool import ClockedPool
from localaws.embedded_ministack import service
from localaws.ministack_patches.patching import Mending
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


class Children:
    def __init__(self, patching: Mending, clock: Clock, calls: StateCalls) -> None:
        self._clock = clock
        self._calls = calls
        self._states = service("stepfunctions")
        replace = patching.replace
        self._run_map = replace(self._states, "_run_distributed_map", self.run_map)
        replace(self._states, "_invoke_nested_start_execution_sync", self.run_nested)
        replace(self._states, "_invoke_resource_with_timeout", self.invoke_with_timeout)
        replace(self._states, "_call_lambda", self.call_function)
        self._read_object = replace(self._states, "_s3_object_text", self.read_object)
        replace(self._states, "_run_parallel_branches", self.run_branches)
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

    def run_branches(
        self,
        state: Mapping[str, Any],
        data: Any,
        execution: dict[str, Any],
        context: Mapping[str, Any],
    ) -> tuple[Any, str | None]:
        """Run the branches of a Parallel state, each with a context of its own."""
        branches = state["Branches"]
        selected = self._states._apply_input_path(state, data, context)
        given = self._states._apply_parameters(state, selected, context)
        with ClockedPool(self._clock, len(branches)) as pool:
            running = [
                pool.submit(
                    copy_context().run,
                    self._states._run_sub_machine,
                    branch["States"],
                    branch["StartAt"],
                    given,
                    execution,
                    deepcopy(context),
                )
                for branch in branches
            ]
            self.wait_for(running)
        results = [branch.result() for branch in running]
        result = self._states._apply_result_selector(state, results)
        merged = self._states._apply_result_path(state, data, result)
        output = self._states._apply_output_path(state, merged, context)
        return output, self._states._next_or_end(state)

    def wait_for(self, running: Sequence[Future[Any]]) -> None:
        def all_done() -> bool:
            return all(each.done() for each in running)

        self._clock.wait_until(all_done, _LONGEST_EXECUTION)

    def run_nested(
        self, resource: str, request: Mapping[str, Any], timeout: float = _LONGEST_EXECUTION
    ) -> dict[str, Any]:
        started = self._calls.make(START_EXECUTION, request, partial(self._start_nested, request))
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
            self._states._stop_execution({"executionArn": execution["executionArn"]})
            cause = f"Task timed out after {timeout} seconds"
            raise self._states._ExecutionError("States.Timeout", cause)

    def invoke_with_timeout(self, resource: str, request: Any, timeout: float) -> Any:
        """A nested execution times out by our clock; a function that really computes, in real seconds."""
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
            cause = f"Task timed out after {timeout} seconds"
            raise self._states._ExecutionError("States.Timeout", cause) from None

    def call_function(self, reference: str, event: Any) -> Any:
        """Invoke a function for a state machine."""
        parameters = {"FunctionName": reference.rpartition(":function:")[2], "Payload": event}
        return self._calls.make(
            INVOKE, parameters, partial(self._invoke_function, reference, event)
        )

    def read_object(self, bucket: str, key: str) -> Any:
        """Read the list of a Map's items."""
        parameters = {"Bucket": bucket, "Key": key}
        return self._calls.make(READ_ITEMS, parameters, partial(self._read_object, bucket, key))

    def _invoke_function(self, reference: str, event: Any) -> Any:
        functions = service("lambda_svc")
        function, configuration, name = functions._get_func_record_for_ref(reference)
        if not function or not configuration:
            raise self._states._ExecutionError(
                "Lambda.ResourceNotFoundException", f"Function not found: {name}"
            )
        record = functions._execution_record_for_config(function, configuration)
        began = time.monotonic()
        result = functions._execute_function_with_config_scope(record, event)
        failed, throttled = bool(result.get("error")), bool(result.get("throttle"))
        milliseconds = 1000 * (time.monotonic() - began)
        functions._emit_lambda_metrics(name, milliseconds, failed, throttled)
        if throttled:
            message = result["body"]["message"]
            raise self._states._ExecutionError("Lambda.TooManyRequestsException", message)
        if failed:
            body = result["body"]
            raise self._states._ExecutionError(body["errorType"], json.dumps(body))
        return result.get("body")


def _description(execution: Mapping[str, Any], *, as_json: bool) -> dict[str, Any]:
    """What DescribeExecution says, spelled as Step Functions spells it to its own tasks."""
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
