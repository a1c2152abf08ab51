"""State, logical id, file and event of a function are one name in four spellings."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from localaws.template_file import read_template
from tests.support.definitions import LAMBDA, all_states, definition, lambda_of
from tests.support.project import PROJECT
from tests.support.sample_events import EVENTS
from tests.support.stack import FUNCTION, STATE_MACHINE, Stack, snake

OTHER_TEMPLATES = sorted((PROJECT / "stacks").glob("*.yaml"))
MACHINES = ("training", "transform")
# In the stack of a watched table; tests/template/test_table_stack.py.
OTHER_MACHINES = ("endpoint",)
ENDPOINT = re.compile(r'"endpoint": "\$\{(\w+)Arn\}"')


def functions(stack: Stack) -> set[str]:
    return {snake(logical_id) for logical_id in stack.resources(FUNCTION)}


def other_functions() -> set[str]:
    """Return the functions of the stacks that score streams and tables."""
    return {
        snake(logical_id)
        for path in OTHER_TEMPLATES
        for logical_id, resource in read_template(path)["Resources"].items()
        if resource["Type"] == FUNCTION
    }


def lambda_tasks() -> Iterator[tuple[str, dict[str, Any]]]:
    for machine in MACHINES:
        for name, state in all_states(definition(machine)):
            if LAMBDA.fullmatch(state.get("Resource", "")):
                yield name, state


def test_every_task_state_bears_the_name_of_the_function_it_calls() -> None:
    for name, state in lambda_tasks():
        assert lambda_of(state) == name.replace(" ", "")


def called_by_rules(stack: Stack) -> set[str]:
    """The functions that rules have as their targets."""
    arns = [
        target["Arn"].get("Fn::GetAtt", [""])[0]
        for rule in stack.resources("AWS::Events::Rule").values()
        for target in rule["Targets"]
    ]
    return {snake(name) for name in arns if name in stack.resources(FUNCTION)}


def called_by_dashboards(stack: Stack) -> set[str]:
    """The functions that draw custom widgets."""
    bodies = [
        each["DashboardBody"]
        for nested in stack.nested_stacks
        for each in nested.resources("AWS::CloudWatch::Dashboard").values()
    ]
    named = [name for body in bodies for name in ENDPOINT.findall(body["Fn::Sub"])]
    return {snake(name) for name in named}


def test_every_function_has_one_kind_of_caller_a_task_or_a_rule_or_a_dashboard(
    stack: Stack,
) -> None:
    tasks = {snake(name) for name, _ in lambda_tasks()}
    callers = [tasks, called_by_rules(stack), called_by_dashboards(stack)]

    assert sorted(name for called in callers for name in called) == sorted(functions(stack))


def test_every_function_is_a_file_and_every_file_a_function(stack: Stack) -> None:
    files = {path.stem for path in (PROJECT / "functions").glob("*.py")}
    assert files == functions(stack) | other_functions()


def test_every_function_names_its_own_handler(stack: Stack) -> None:
    for logical_id, function in stack.resources(FUNCTION).items():
        assert function["Handler"] == f"{snake(logical_id)}.handler"


def test_every_function_and_every_state_machine_has_one_sample_event_and_no_event_is_left_over(
    stack: Stack,
) -> None:
    every = functions(stack) | other_functions() | {*MACHINES, *OTHER_MACHINES}
    assert {path.name.partition(".")[0] for path in EVENTS.iterdir()} == every


def test_every_function_has_a_role_of_its_own_name(stack: Stack) -> None:
    for logical_id, function in stack.resources(FUNCTION).items():
        assert function["Role"] == {"Fn::GetAtt": [f"{logical_id}Role", "Arn"]}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_state_machine_its_file_its_rule_and_its_schedule_share_one_name(
    stack: Stack, machine: str
) -> None:
    name = machine.capitalize()

    assert stack.resources(STATE_MACHINE)[f"{name}StateMachine"]["DefinitionUri"] == (
        f"statemachines/{machine}.asl.json"
    )
    rule = stack.resources("AWS::Events::Rule")[f"{name}Rule"]
    setting = ["Settings", f"{name}Schedule", {"Ref": "Environment"}]
    assert rule["ScheduleExpression"] == {"Fn::FindInMap": setting}
    assert rule["Targets"][0]["Arn"] == {"Ref": f"{name}StateMachine"}


def test_there_are_no_other_definitions() -> None:
    files = {path.name for path in (PROJECT / "statemachines").iterdir()}
    assert files == {f"{machine}.asl.json" for machine in (*MACHINES, *OTHER_MACHINES)}
