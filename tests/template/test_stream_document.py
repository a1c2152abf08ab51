"""docs/streams.md agrees with the stack of a stream and with what the commands print."""

import re

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.streams.function_call import (
    POSTPROCESSOR_SECONDS,
    PREPROCESSOR_SECONDS,
    SCORING_SECONDS,
)
from cutwatch_cli.stacks.stream_stacks import STREAM_OUTPUTS
from localaws.template_file import read_template
from tests.support.command_line import cutwatch
from tests.support.project import PROJECT

DOCUMENT = PROJECT / "docs" / "streams.md"
TEMPLATE = read_template(PROJECT / "stacks" / "stream.yaml")
ALARM = "AWS::CloudWatch::Alarm"


def test_every_alarm_is_explained_in_its_order() -> None:
    alarms = [
        each["Properties"] for each in TEMPLATE["Resources"].values() if each["Type"] == ALARM
    ]
    names = [each["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}") for each in alarms]
    assert names
    assert re.findall(r"^\| `(: [a-z ]+)` \|", DOCUMENT.read_text(), re.MULTILINE) == names
    silent = [name for name, each in zip(names, alarms, strict=True) if "AlarmActions" not in each]
    assert silent == names[:1]


def test_the_example_of_a_cold_start_is_valid() -> None:
    section = DOCUMENT.read_text().partition("## Cold start from a detector")[2]
    [example, *_] = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    [stream] = parse_configuration(example).streams
    assert stream.cold_start == "latency"


def test_the_cost_that_is_shown_is_the_one_that_is_printed() -> None:
    [shown] = re.findall(r"<!-- cost -->\n```\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    printed = cutwatch("cost", "--stream", "any").stdout
    assert shown.splitlines() == [line.rstrip() for line in printed.splitlines()]


def test_a_preprocessor_may_take_most_of_the_scoring_functions_timeout() -> None:
    timeout = TEMPLATE["Resources"]["ScoreKinesis"]["Properties"]["Timeout"]
    assert timeout == SCORING_SECONDS
    assert POSTPROCESSOR_SECONDS < PREPROCESSOR_SECONDS < timeout


def test_every_output_that_marks_a_stream_stack_is_in_the_template() -> None:
    assert set(TEMPLATE["Outputs"]) >= STREAM_OUTPUTS
    assert "IteratorAgeAlarmSeconds" in TEMPLATE["Parameters"]
