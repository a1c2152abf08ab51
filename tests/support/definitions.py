"""The state machines' definitions as they stand in statemachines/."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.project import PROJECT

LAMBDA = re.compile(r"\$\{(\w+)Arn\}")

State = dict[str, Any]


def definition(machine: str) -> dict[str, Any]:
    """`statemachines/<machine>.asl.json`."""
    parsed: dict[str, Any] = json.loads(text(machine))
    return parsed


def text(machine: str) -> str:
    """The file's text, substitutions not resolved."""
    return (PROJECT / "statemachines" / f"{machine}.asl.json").read_text()


def all_states(flow: dict[str, Any]) -> Iterator[tuple[str, State]]:
    """Every state with its name, those inside a Map included."""
    for _, name, state in located_states(flow):
        yield name, state


def located_states(flow: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, State]]:
    """As `all_states`, with the flow (the machine or a Map's processor) that the state belongs to."""
    for name, state in flow["States"].items():
        yield flow, name, state
        if "ItemProcessor" in state:
            yield from located_states(state["ItemProcessor"])


def lambda_of(state: State) -> str:
    """The logical id of the function that a task calls."""
    matched = LAMBDA.fullmatch(state["Resource"])
    if matched is None:
        raise ValueError(f"{state['Resource']} is no function of ours")
    return matched[1]


def successors(state: State) -> set[str]:
    """The names of all states that may follow."""
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    caught = [catcher["Next"] for catcher in state.get("Catch", [])]
    return {*choices, *caught, *(state[key] for key in ("Next", "Default") if key in state)}
