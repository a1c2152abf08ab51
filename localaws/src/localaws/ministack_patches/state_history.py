"""Step Functions: the events of a history as AWS writes them, linked, and within AWS's limits."""

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from localaws.embedded_ministack import service
from localaws.limits import EXECUTION_HISTORY_MAX_EVENTS, STATE_PAYLOAD_MAX_BYTES
from localaws.ministack_patches.patching import Patches

Event = tuple[str, Mapping[str, Any]]
_Execution = dict[str, Any]
_INTEGRATION = "arn:aws:states:::"


class Histories:
    """Writes every event of every execution."""

    def __init__(self, patches: Patches) -> None:
        self._states = service("stepfunctions")
        self._lock = threading.Lock()
        self._add_event = patches.replace(self._states, "_add_event", self.add_event)
        self._list = patches.replace(self._states, "_list_executions", self.list_executions)

    def add_event(
        self, execution: _Execution, kind: str, details: Mapping[str, Any] | None = None
    ) -> Any:
        event = None
        for name, described in _events(kind, details or {}):
            event = self._write(execution, name, described)
            event["previousEventId"] = _previous(event["id"])
        execution["events"][0]["previousEventId"] = 0
        return event

    def list_executions(self, request: Mapping[str, Any]) -> Any:
        machine = request.get("stateMachineArn")
        if machine and machine not in self._states._state_machines and "/" not in machine:
            message = f"State Machine Does Not Exist: '{machine}'"
            return self._states.error_response_json("StateMachineDoesNotExist", message, 400)
        return self._list(request)

    def _write(self, execution: _Execution, kind: str, details: Mapping[str, Any]) -> Any:
        self._refuse_large(kind, details)
        with self._lock:
            if len(execution["events"]) >= EXECUTION_HISTORY_MAX_EVENTS and "Failed" not in kind:
                raise self._states._ExecutionError(
                    "States.Runtime",
                    "The execution reached the maximum number of history events "
                    f"({EXECUTION_HISTORY_MAX_EVENTS}).",
                )
            return self._add_event(execution, kind, details)

    def _refuse_large(self, kind: str, details: Mapping[str, Any]) -> None:
        for detail in details.values():
            for name in ("input", "output"):
                if len(detail.get(name, "")) > STATE_PAYLOAD_MAX_BYTES:
                    raise self._states._ExecutionError(
                        "States.DataLimitExceeded",
                        f"The {name} of '{detail.get('name', kind)}' exceeds the maximum number "
                        f"of bytes service limit ({STATE_PAYLOAD_MAX_BYTES}).",
                    )


def map_run_events(
    states: Any, execution: _Execution, label: str | None, run: Callable[[], Any]
) -> Any:
    """Run a distributed Map, and write when its Map Run began and how it ended."""
    known = set(states._map_runs.keys())
    try:
        result = run()
    except states._ExecutionError as error:
        details = {"error": error.error, "cause": error.cause}
        _write_map_run(states, execution, label, known, ("MapRunFailed", details))
        raise
    _write_map_run(states, execution, label, known, ("MapRunSucceeded", {}))
    return result


def _write_map_run(
    states: Any, execution: _Execution, label: str | None, known: set[str], ending: Event
) -> None:
    name = f"/{label}:" if label else ":mapRun:"
    for arn, run in states._map_runs.items():
        if arn in known or name not in arn or run["executionArn"] != execution["executionArn"]:
            continue
        details = {"mapRunStartedEventDetails": {"mapRunArn": arn}}
        states._add_event(execution, "MapRunStarted", details)["timestamp"] = run["startDate"]
        kind, ended = ending
        states._add_event(execution, kind, {details_of(kind): ended} if ended else {})


def _previous(event_id: int) -> int:
    """Let the first state's entry follow nothing, as the start does."""
    return event_id - 1 if event_id > 2 else 0


def _events(kind: str, details: Mapping[str, Any]) -> Iterator[Event]:
    """Yield the events that AWS writes where MiniStack writes this one."""
    task = details.get(details_of(kind), {})
    resource = str(task.get("resource", ""))
    if not kind.startswith("Task") or not resource:
        yield kind, details
    elif ":function:" in resource and not resource.startswith(_INTEGRATION):
        yield from _function_events(kind.removeprefix("Task"), task)
    else:
        yield from _task_events(kind, task, resource)


def _function_events(ending: str, task: Mapping[str, Any]) -> Iterator[Event]:
    if ending == "Failed" and task.get("error") == "States.Timeout":
        ending = "TimedOut"
    kind = f"LambdaFunction{ending}"
    left_out = ("resourceType",) if ending == "Scheduled" else ("resourceType", "resource")
    described = {name: value for name, value in task.items() if name not in left_out}
    yield kind, {details_of(kind): described}
    if ending == "Scheduled":
        yield "LambdaFunctionStarted", {}


def _task_events(kind: str, task: Mapping[str, Any], resource: str) -> Iterator[Event]:
    """`arn:aws:states:::lambda:invoke` is the resource `invoke` of the type `lambda`."""
    resource_type, _, action = resource.removeprefix(_INTEGRATION).partition(":")
    named = {"resourceType": resource_type, "resource": action or resource}
    yield kind, {details_of(kind): {**task, **named}}
    if kind == "TaskScheduled":
        yield "TaskStarted", {"taskStartedEventDetails": named}


def details_of(kind: str) -> str:
    """Return the field of an event that holds its details."""
    return f"{kind[0].lower()}{kind[1:]}EventDetails"
