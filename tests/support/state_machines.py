"""Both state machines on moto's interpreter, with our handlers behind their Lambda tasks."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import time_machine
from moto.stepfunctions.parser import models as backend
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration import (
    distributed_iteration_component as distributed_map,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_callback as integration,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.asl.utils import boto_client
from moto.stepfunctions.parser.backend import execution_worker

from cutwatch.aws.clients import client
from tests.support.account import Account, unobserved_client
from tests.support.stack import ACCOUNT, REGION, STATE_MACHINE, snake

_LONGEST_EXECUTION = 300.0
_BETWEEN_LOOKS = 0.03


@dataclass(frozen=True)
class Execution:
    """A finished execution. `children` are the states that each detector's child went through."""

    status: str
    input: dict[str, Any]
    output: Any
    error: str
    cause: str
    states: list[str]
    children: dict[str, list[str]]


@dataclass
class StateMachines:
    """The deployed state machines; `delays` are the waits that retries asked for and did not get."""

    account: Account
    delays: list[float] = field(default_factory=list)
    _children: list[EventManager] = field(default_factory=list)

    def run(self, state_machine: str, event: Mapping[str, Any]) -> Execution:
        """Start an execution, as a rule does with its event, and follow it to its end."""
        self._children.clear()
        arn = self.account.stack.arn(state_machine)
        started = client("stepfunctions").start_execution(
            stateMachineArn=arn, name=str(uuid4()), input=json.dumps(event)
        )
        return self._finished(started["executionArn"])

    def _finished(self, execution: str) -> Execution:
        steps = client("stepfunctions")
        deadline = time.monotonic() + _LONGEST_EXECUTION
        # Each question by way of the API takes from the work that it waits for.
        moto = backend.stepfunctions_parser_backends[ACCOUNT][REGION].describe_execution(execution)
        while moto.status == "RUNNING":
            if time.monotonic() > deadline:
                raise TimeoutError(f"{execution} is still running")
            time.sleep(_BETWEEN_LOOKS)
        described = steps.describe_execution(executionArn=execution)
        history = steps.get_execution_history(executionArn=execution)["events"]
        children: dict[str, list[str]] = defaultdict(list)
        for name, payload in self._states_of_children():
            for detector in payload["detectors"]:
                children[detector["name"]].append(name)
        return Execution(
            described["status"],
            json.loads(described["input"]),
            json.loads(described.get("output", "null")),
            described.get("error", ""),
            described.get("cause", ""),
            [entered["name"] for entered in _entered(history)],
            dict(children),
        )

    def _states_of_children(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for manager in self._children:
            for entered in _entered(manager.get_event_history()):
                payload = json.loads(entered["input"])
                if "detectors" in payload:
                    yield entered["name"], payload

    def forget(self) -> None:
        """Leave what happened so far out of what is reported from now on."""
        self._children.clear()
        self.account.invocations.clear()
        self.delays.clear()

    def _invoke(self, parameters: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """moto runs no Python without Docker; errors reach the interpreter as Lambda's runtime words them."""
        function = snake(parameters["FunctionName"].rsplit("-", 1)[-1])
        try:
            return {"Payload": self.account.invoke(function, json.loads(parameters["Payload"]))}
        except Exception as error:  # noqa: BLE001 - as Lambda's runtime does
            raised = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": raised | {"stackTrace": []}}


def _entered(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [e["stateEnteredEventDetails"] for e in events if "stateEnteredEventDetails" in e]


def _as_moto_reads_it(node: Any) -> Any:
    """The definition, but for the one number that moto's grammar wants with a decimal point."""
    if isinstance(node, list):
        return [_as_moto_reads_it(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        key: float(each) if key == "ToleratedFailurePercentage" else _as_moto_reads_it(each)
        for key, each in node.items()
    }


# An execution's state is in its environment, so that one parsed definition serves all executions of all accounts.
_PARSER = SimpleNamespace(parse=cache(AmazonStateLanguageParser.parse))


def _interpreters_client(service_name: str, **_: Any) -> Any:
    """moto makes a client for every task, which takes longer than the task."""
    return unobserved_client(service_name)


def _as_the_api_spells_it(_: Any, parameters: dict[str, Any], *__: Any) -> None:
    """moto hands a nested execution's `StateMachineArn` and `Input` to an API that knows them in lower case."""
    parameters |= {
        "stateMachineArn": parameters.pop("StateMachineArn"),
        "input": json.dumps(parameters.pop("Input")),
        "name": parameters.pop("Name"),
    }


def _as_states_spell_it(_: Any, response: dict[str, Any], *__: Any, **___: Any) -> None:
    """... and its answer back to states that know it in upper case."""
    for key in list(response):
        response[key[0].upper() + key[1:]] = response.pop(key)


@contextmanager
def _mended(machines: StateMachines) -> Iterator[None]:
    """What moto's interpreter lacks, as narrowly as possible."""

    def keep() -> EventManager:
        """moto drops the histories of a distributed Map's children."""
        machines._children.append(EventManager())
        return machines._children[-1]

    with ExitStack() as patches:
        for target, attribute, replacement in (
            (lambda_eval_utils, "_invoke_lambda_function", machines._invoke),
            (retrier_decl, "time", SimpleNamespace(sleep=machines.delays.append)),
            (distributed_map, "EventManager", keep),
            (backend, "AmazonStateLanguageParser", _PARSER),
            (execution_worker, "AmazonStateLanguageParser", _PARSER),
            (boto_client, "boto3", SimpleNamespace(client=_interpreters_client)),
            (integration, "_DELAY_SECONDS_SYNC_CONDITION_CHECK", _BETWEEN_LOOKS),
            (StateTaskServiceSfn, "_normalise_parameters", _as_the_api_spells_it),
            (StateTaskServiceSfn, "_normalise_response", _as_states_spell_it),
        ):
            patches.enter_context(patch.object(target, attribute, replacement))
        yield


@contextmanager
def deployed(account: Account, now: datetime) -> Iterator[StateMachines]:
    """Deploy both state machines into an account whose clock starts at `now`."""
    machines = StateMachines(account)
    with time_machine.travel(now, tick=True), _mended(machines):
        for logical_id in account.stack.resources(STATE_MACHINE):
            client("stepfunctions").create_state_machine(
                name=account.stack.physical_name(logical_id),
                definition=json.dumps(_as_moto_reads_it(account.stack.definition(logical_id))),
                roleArn=account.stack.arn(f"{logical_id}Role"),
            )
        yield machines
