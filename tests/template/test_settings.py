"""The root template's parameters and settings, and what the nested stack is given of them."""

import pytest

from cutwatch_cli.stacks.stack_name import MARKING_OUTPUTS
from cutwatch_cli.template_settings import setting_mistakes
from tests.support.stack import FUNCTION, TEMPLATE, Stack

# What `sam deploy --guided` asks for is read by a person, the template in one sitting.
MOST_PARAMETERS = 12
MOST_LINES = 1_210


def test_few_parameters_are_asked_for(stack: Stack) -> None:
    assert len(stack.template["Parameters"]) <= MOST_PARAMETERS


def test_the_template_can_be_read_in_one_sitting() -> None:
    assert len(TEMPLATE.read_text().splitlines()) <= MOST_LINES


def test_every_parameter_is_described_and_shown_in_a_group(stack: Stack) -> None:
    groups = stack.template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(stack.template["Parameters"])
    assert all(each["Description"] for each in stack.template["Parameters"].values())


def test_the_stack_has_the_outputs_by_which_the_command_line_recognises_it(stack: Stack) -> None:
    assert set(stack.template["Outputs"]) >= MARKING_OUTPUTS


def test_every_setting_allows_the_value_of_every_environment(stack: Stack) -> None:
    assert list(setting_mistakes(stack.template)) == []


def test_every_setting_has_a_value_for_exactly_the_environments_that_can_be_chosen(
    stack: Stack,
) -> None:
    environments = stack.template["Parameters"]["Environment"]["AllowedValues"]
    for name, setting in stack.settings.items():
        assert list(setting) == ["allowed", *environments], name


def test_every_setting_is_used(stack: Stack) -> None:
    text = TEMPLATE.read_text()
    unused = [
        name
        for name in stack.settings
        if f"!FindInMap [Settings, {name}, !Ref Environment]" not in text
    ]
    assert unused == []


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_an_environment_has_its_own_values(environment: str) -> None:
    stack = Stack(Environment=environment)
    days = stack.properties("FunctionsLogGroup")["RetentionInDays"]
    assert days == stack.settings["LogRetentionDays"][environment]


def test_the_monitoring_stack_is_given_every_parameter_that_it_declares(stack: Stack) -> None:
    given = stack.properties("Monitoring")["Parameters"]
    assert set(given) == set(stack.nested("Monitoring").template["Parameters"])


def test_the_monitoring_stack_is_given_each_function_under_its_own_name(stack: Stack) -> None:
    given = stack.properties("Monitoring")["Parameters"]
    for function in stack.resources(FUNCTION):
        assert given[function] == stack.physical_name(function)


def test_ranges_of_the_monitoring_stack_are_those_of_the_settings(stack: Stack) -> None:
    declared = stack.nested("Monitoring").template["Parameters"]
    shared = declared.keys() & stack.settings.keys()
    assert shared
    for name in shared:
        bounds = [declared[name][key] for key in ("MinValue", "MaxValue") if key in declared[name]]
        choices = declared[name].get("AllowedValues", [])
        allowed = stack.settings[name]["allowed"]
        assert allowed == " or ".join(choices) if choices else bounds == stack.bounds(name)


def test_alarms_and_dashboard_bear_the_name_of_the_root_stack() -> None:
    monitoring = Stack("cutwatch-dev").nested("Monitoring")
    names = [
        monitoring.physical_name(alarm) for alarm in monitoring.resources("AWS::CloudWatch::Alarm")
    ]
    assert "cutwatch-dev-anomalies" in names
    assert all(name.startswith("cutwatch-dev-") and "Monitoring" not in name for name in names)
    assert monitoring.properties("Dashboard")["DashboardName"] == "cutwatch-dev-us-east-1"
