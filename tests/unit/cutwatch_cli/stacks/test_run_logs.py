from typing import Any

import pytest

from cutwatch_cli.stacks.run_logs import LoggedRun, LogLine
from cutwatch_cli.stacks.started_run import verdict
from tests.support.builders import NOON

RUN = "transform-20261102T120000Z"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:cutwatch-transform:x"


def text(**fields: Any) -> str:
    function = {
        "level": "INFO",
        "function_name": "cutwatch-StoreMetricData-1A2B",
        "message": "done",
    }
    return LogLine(NOON, function | fields).text("cutwatch")


def test_a_line_names_function_and_detector_and_what_was_done() -> None:
    assert text(detector="orders", result={"rows": 3}) == (
        '2026-11-02 12:00:00 INFO    StoreMetricData        [orders] done {"rows": 3}'
    )


def test_a_long_result_is_cut_and_an_exception_told_by_its_last_line() -> None:
    assert text(result={"rows": "x" * 999}).endswith("xxx…")
    traceback = 'Traceback:\n  File "x.py"\ncutwatch.errors.Throttled: slow down\n'
    assert text(message="failed", exception=traceback).endswith(
        "failed: cutwatch.errors.Throttled: slow down"
    )


@pytest.mark.parametrize(
    ("line", "included"),
    [
        ({"run": RUN}, True),
        ({"result": {"run": {"id": RUN}}}, True),
        ({"execution": EXECUTION}, True),
        ({"run": "training-20261102T120000Z-on-demand"}, True),
        ({"run": "training-20261102T120000Z"}, False),
        ({"run": "transform-20261101T120000Z"}, False),
        ({"result": "text"}, False),
        ({}, False),
    ],
)
def test_only_lines_of_the_run_are_wanted(line: dict[str, Any], included: object) -> None:
    assert LoggedRun(RUN, NOON, EXECUTION).includes(line) is included


def test_the_pattern_asks_for_the_run_and_for_what_came_before_it_was_opened() -> None:
    training = "training-20261102T120000Z"
    assert LoggedRun(training, NOON).pattern == (
        f'{{ ($.run = "{training}") || ($.result.run.id = "{training}") }}'
    )
    assert f'($.execution = "{EXECUTION}")' in LoggedRun(RUN, NOON, EXECUTION).pattern


def test_a_failed_execution_is_told_in_the_functions_own_words() -> None:
    found = verdict(
        {"status": "FAILED", "error": "InvalidInput", "cause": '{"errorMessage": "no\\nsuch name"}'}
    )
    assert list(found.lines()) == ["FAILED: InvalidInput: no such name"]
    assert not found.succeeded


def test_a_run_in_which_a_detector_failed_is_not_fine_and_says_which() -> None:
    output = (
        '{"statuses": {"PUBLISHED": 2, "FAILED": 1}, "new_events": 1, '
        '"failures": [{"detector": "visits", "reason": "Throttled: slow down"}]}'
    )
    found = verdict({"status": "SUCCEEDED", "output": output})
    assert list(found.lines()) == [
        "SUCCEEDED: 2 PUBLISHED, 1 FAILED; 1 new event",
        "  visits: Throttled: slow down",
    ]
    assert not found.succeeded
