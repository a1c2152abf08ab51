"""docs/streams.md agrees with the stack of a stream and with what the commands print."""

import json
import re
from dataclasses import fields, is_dataclass
from typing import get_args, get_type_hints

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.detectors.stream import Stream
from cutwatch.streams.detection import ScoredRow
from cutwatch.streams.expectation import Expected
from cutwatch.streams.forest import Attribution
from cutwatch.streams.function_call import (
    POSTPROCESSOR_SECONDS,
    PREPROCESSOR_SECONDS,
    SCORING_SECONDS,
)
from cutwatch.streams.result_rows import row_payload
from cutwatch_cli.stacks.stream_stacks import STREAM_OUTPUTS
from localaws.template_file import read_template
from tests.support.command_line import cutwatch
from tests.support.project import PROJECT
from tests.support.streams import a_stream

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


def section(heading: str) -> str:
    """Return the text below a heading, up to the next."""
    _, _, rest = DOCUMENT.read_text().partition(f"# {heading}\n")
    return re.split(r"^#+ ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def explained(heading: str) -> set[str]:
    """Return the names in the first column of a section's tables."""
    return {
        name
        for cell in re.findall(r"^\| (`[^|]*) \|", section(heading), re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", cell)
    }


def test_every_field_of_an_entry_is_explained() -> None:
    names = set()
    for name, kind in get_type_hints(Stream).items():
        nested = [each for each in (kind, *get_args(kind)) if is_dataclass(each)]
        is_described_elsewhere = name in ("log", "minimum_deviation", "exclude")
        inner = [] if is_described_elsewhere else [field for each in nested for field in fields(each)]  # fmt: skip
        names |= {f"{name}.{field.name}" for field in inner} or {name}
    assert explained("Declaration") == names


def test_every_parameter_of_the_stack_is_explained_with_its_default() -> None:
    heading = "Parameters of the stack"
    assert explained(heading) - {*map(str, TEMPLATE["Parameters"])} == set()
    for name, parameter in TEMPLATE["Parameters"].items():
        [row] = [
            line for line in section(heading).splitlines() if re.match(rf"\| [^|]*`{name}`", line)
        ]
        default = parameter.get("Default", "required")
        assert str(default or "none") in row.split("|")[2], name


def test_the_scored_record_that_is_shown_has_the_fields_that_are_sent() -> None:
    [shown] = re.findall(r"```json\n(.*?)```", section("Scored records"), re.DOTALL)
    example = json.loads(shown)
    row = ScoredRow("a", 0.0, (1.0,), ("0", 1), 2.0, 1.0, False, (Attribution(2.0, "above"),), "i", (Expected(1.0, 0.0, 2.0),))  # fmt: skip
    sent = row_payload(a_stream(), row)
    assert list(example) == list(sent)
    for field in ("attribution", "expected"):
        assert {*example[field]["systolic"]} == {*sent[field]["x"]}
