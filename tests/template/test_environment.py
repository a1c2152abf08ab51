"""A function's environment is what its settings read, no more and no less."""

from dataclasses import fields
from importlib import import_module

import pytest

from cutwatch.settings import Settings
from tests.support.stack import FUNCTION, Stack, camel, snake

FUNCTIONS = [snake(logical_id) for logical_id in Stack().resources(FUNCTION)]

NOT_IN_THE_TEMPLATE = {
    "AWS_REGION": "Lambda sets it",
    "DETECTORS_FILE": "its default is the file that ships",
}
READ_BY_LIBRARIES = {
    "AWS_ENDPOINT_URL": "boto3",
    "POWERTOOLS_LOG_LEVEL": "Powertools",
    "POWERTOOLS_METRICS_NAMESPACE": "Powertools",
    "POWERTOOLS_SERVICE_NAME": "Powertools",
}


def read_by(function: str) -> set[str]:
    """The variables that a handler's settings read."""
    classes = [
        value
        for value in vars(import_module(function)).values()
        if isinstance(value, type) and issubclass(value, Settings)
    ]
    return {field.name.upper() for settings in classes for field in fields(settings)}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_variable_that_a_function_reads_is_declared(stack: Stack, function: str) -> None:
    declared = stack.declared_environment(camel(function))
    assert read_by(function) - set(NOT_IN_THE_TEMPLATE) <= set(declared)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_variable_that_is_declared_for_a_function_is_read_by_it(
    stack: Stack, function: str
) -> None:
    own = stack.resources(FUNCTION)[camel(function)].get("Environment", {"Variables": {}})
    assert set(own["Variables"]) <= read_by(function)


def test_every_variable_that_is_declared_for_all_functions_is_read_by_some(stack: Stack) -> None:
    common = stack.template["Globals"]["Function"]["Environment"]["Variables"]
    read = set().union(*map(read_by, FUNCTIONS))

    assert set(common) <= read | set(READ_BY_LIBRARIES)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_values_that_the_template_gives_can_be_read(stack: Stack, function: str) -> None:
    environment = stack.environment(camel(function))
    for value in vars(import_module(function)).values():
        if isinstance(value, type) and issubclass(value, Settings):
            assert value.from_env(environment)
