"""Step Functions: refuse by name, when a machine is created, what would have no effect or another than on AWS."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from localaws.embedded_ministack import core, service
from localaws.ministack_patches.patching import Patches

_COMMON = {"Type", "Comment", "Next", "End", "InputPath", "OutputPath"}
_RESULT = {"Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"}
_MAP = {
    "Iterator",
    "ItemProcessor",
    "ItemReader",
    "ItemSelector",
    "ItemsPath",
    "Label",
    "MaxConcurrency",
    "MaxConcurrencyPath",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
}
_FIELDS = {
    "Pass": {"Parameters", "Result", "ResultPath"},
    "Task": {"Resource", "TimeoutSeconds"} | _RESULT,
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "SecondsPath", "Timestamp", "TimestampPath"},
    "Succeed": set(),
    "Fail": {"Error", "ErrorPath", "Cause", "CausePath"},
    "Map": _MAP | _RESULT,
}
# Every other integration would run without asking the state machine's role.
_RESOURCE = re.compile(
    r"arn:aws[\w-]*:(lambda:[\w-]+:\d{12}:function:.+"
    r"|states:::(lambda:invoke|states:startExecution\.sync(:2)?))"
)
_RETRIER_FIELDS = {
    "ErrorEquals",
    "IntervalSeconds",
    "MaxAttempts",
    "BackoffRate",
    "MaxDelaySeconds",
    "JitterStrategy",
    "Comment",
}


class StateDefinitions:
    """Checks a definition before MiniStack takes it."""

    def __init__(self, patches: Patches) -> None:
        states = service("stepfunctions")
        self._create = patches.replace(states, "_create_state_machine", self.create)
        self._update = patches.replace(states, "_update_state_machine", self.update)

    def create(self, request: Mapping[str, Any]) -> Any:
        """Create a state machine that can run here."""
        return _refusal(request) or self._create(request)

    def update(self, request: Mapping[str, Any]) -> Any:
        """Give a state machine another definition that can run here."""
        return _refusal(request) or self._update(request)


def _refusal(request: Mapping[str, Any]) -> Any:
    if "definition" not in request:
        return None
    problems = list(problems_of(request["definition"]))
    if not problems:
        return None
    message = f"Invalid State Machine Definition: {'; '.join(problems)}"
    return core("responses").error_response_json("InvalidDefinition", message)


def problems_of(definition: str) -> Iterator[str]:
    """Yield each thing that AWS would refuse of a definition, or that the local AWS does not implement."""
    try:
        machine = json.loads(definition)
    except ValueError as error:
        yield f"INVALID_JSON_DESCRIPTION: {error}"
        return
    yield from _machine_problems(machine)


def _machine_problems(machine: Mapping[str, Any]) -> Iterator[str]:
    if machine.get("QueryLanguage", "JSONPath") != "JSONPath":
        yield f"the local AWS does not implement QueryLanguage {machine['QueryLanguage']}"
    states = machine.get("States", {})
    for name in (machine.get("StartAt"), *_targets(states)):
        if name not in states:
            yield f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {name}"
    for name, state in states.items():
        yield from _state_problems(name, state)
        for nested in _nested(state):
            yield from _machine_problems(nested)


def _state_problems(name: str, state: Mapping[str, Any]) -> Iterator[str]:
    kind = state.get("Type", "")
    if kind not in _FIELDS:
        yield f"the local AWS does not implement Type '{kind}' of state '{name}'"
        return
    resource = state.get("Resource", "")
    if kind == "Task" and not _RESOURCE.fullmatch(resource):
        yield f"the local AWS does not implement Resource '{resource}' of state '{name}'"
    for field in sorted(state.keys() - _COMMON - _FIELDS[kind]):
        yield f"the local AWS does not implement {field} of {kind} state '{name}'"
    yield from _retrier_problems(name, state.get("Retry", []))


def _retrier_problems(name: str, retriers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for retrier in retriers:
        for field in sorted(retrier.keys() - _RETRIER_FIELDS):
            yield f"the local AWS does not implement {field} of a retrier of state '{name}'"


def _targets(states: Mapping[str, Any]) -> Iterator[str]:
    for state in states.values():
        holders = (state, *state.get("Choices", []), *state.get("Catch", []))
        yield from (holder["Next"] for holder in holders if "Next" in holder)
        if "Default" in state:
            yield state["Default"]


def _nested(state: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (state[name] for name in ("Iterator", "ItemProcessor") if name in state)
