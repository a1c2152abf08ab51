"""The stack of live detection: its schedule, its documentation, and what it may touch."""

from collections.abc import Mapping
from typing import Any

import pytest

from cutwatch.live.reading import AFTER_THE_BOUNDARY
from localaws.template_file import read_template
from tests.support.project import PROJECT

PATH = PROJECT / "stacks" / "live.yaml"
DOCUMENT = (PROJECT / "docs" / "live.md").read_text()
ANY_RESOURCE = {"ReadMetrics", "PublishMetrics", "Trace"}


@pytest.fixture(scope="module")
def template() -> Mapping[str, Any]:
    return read_template(PATH)


def test_runs_begin_when_the_datapoints_of_a_closed_period_can_be_expected(
    template: Mapping[str, Any],
) -> None:
    minutes = int(AFTER_THE_BOUNDARY.total_seconds()) // 60
    schedules = template["Mappings"]["Schedules"]
    assert list(schedules) == list(map(str, template["Parameters"]["LiveMinutes"]["AllowedValues"]))
    for interval, schedule in schedules.items():
        assert schedule["Seconds"] == int(interval) * 60
        expected = f"cron({minutes}/{interval} * * * ? *)"
        assert schedule["Expression"] in (
            "rate(1 minute)",
            expected,
            f"cron({minutes} * * * ? *)",
        )


def test_detection_parameters_are_documented_with_their_defaults(
    template: Mapping[str, Any],
) -> None:
    for name in (
        "LiveMinutes",
        "GapMinutes",
        "NotificationSeverity",
        "AlarmByDetector",
        "MemorySize",
    ):
        default = template["Parameters"][name]["Default"]
        assert f"| `{name}` | {default} |" in DOCUMENT.replace(f"`{default}`", str(default))


def test_every_alarm_is_documented(template: Mapping[str, Any]) -> None:
    names = [
        each["Properties"]["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}")
        for each in template["Resources"].values()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert len(names) == 4
    for name in names:
        assert f"| `{name}` |" in DOCUMENT


def test_any_resource_is_allowed_only_where_aws_offers_no_narrower_one(
    template: Mapping[str, Any],
) -> None:
    [policy] = template["Resources"]["ScoreMetricsRole"]["Properties"]["Policies"]
    found = {
        statement["Sid"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Resource") == "*"
    }
    assert found == ANY_RESOURCE
    explained = PATH.read_text().count("# AWS offers no narrower resource")
    assert explained == len(ANY_RESOURCE)


def test_a_run_that_fails_is_not_repeated_because_the_next_one_catches_up(
    template: Mapping[str, Any],
) -> None:
    function = template["Resources"]["ScoreMetrics"]["Properties"]
    assert function["EventInvokeConfig"]["MaximumRetryAttempts"] == 0
    assert function["Timeout"] <= 300
