"""Every handler writes structured lines that say whom they are about, and fails by name."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from logging import StreamHandler
from typing import Any

import pytest

from cutwatch.errors import AccessDenied, InvalidInput, InvalidSetting
from cutwatch.observability import logger
from cutwatch.registry.outcome import Outcome
from cutwatch.registry.run import Run
from tests.support.account import Account, open_account
from tests.support.project import SEARCHED
from tests.support.sample_events import sample
from tests.support.stack import Stack


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What handlers log; the logger keeps the stream that it was made with."""
    written = StringIO()
    handler = logger.registered_handler
    assert isinstance(handler, StreamHandler)
    stream = handler.setStream(written)
    yield written
    handler.setStream(stream)


def lines_of(log: StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_every_line_carries_detector_run_and_execution(account: Account, log: StringIO) -> None:
    event = sample("record_outcome")

    account.invoke("record_outcome", event)

    lines = lines_of(log)
    assert [line["message"] for line in lines] == ["recorded as failed", "done"]
    for line in lines:
        assert line["detector"] == event["detectors"][0]["name"]
        assert line["run"] == event["run"]["id"]
        assert line["execution"] == event["execution"]


def test_a_detector_with_a_better_outcome_is_not_told_to_have_failed(
    account: Account, log: StringIO
) -> None:
    event = sample("record_outcome")
    run = Run.from_payload(event["run"])
    published = Outcome(event["detectors"][0]["name"], "PUBLISHED", "done")
    account.registry.outcomes.record(run.id, run.opened_at, published)

    account.invoke("record_outcome", event)

    assert [line["message"] for line in lines_of(log)] == ["done"]


def test_a_failure_that_a_state_machine_caught_is_logged_with_its_reason(
    account: Account, log: StringIO
) -> None:
    account.invoke("record_outcome", sample("record_outcome"))

    [line] = [line for line in lines_of(log) if line["level"] == "ERROR"]
    assert line["reason"].startswith("QuotaExceeded: CreateTransformJob: The account-level service")


def test_a_failure_is_logged_with_its_reason_and_counted(
    account: Account, log: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    account.sagemaker.refuse("CreateTrainingJob", "ResourceLimitExceeded", "0 instances")

    with pytest.raises(Exception, match="0 instances"):
        account.invoke("start_training_job", sample("start_training_job"))

    [line] = lines_of(log)
    assert (line["level"], line["exception_name"]) == ("ERROR", "QuotaExceeded")
    assert line["reason"].startswith("QuotaExceeded: CreateTrainingJob: ")
    assert '"Errors":[1.0]' in capsys.readouterr().out


def test_a_payload_that_lacks_a_field_is_refused_by_name(account: Account) -> None:
    event = sample("record_outcome")
    del event["result"]

    with pytest.raises(InvalidInput, match="has no 'result'"):
        account.invoke("record_outcome", event)


def test_a_malformed_time_is_refused_by_name(account: Account) -> None:
    event = sample("list_detectors")
    event["event"]["time"] = "yesterday"

    with pytest.raises(InvalidInput, match="time is 'yesterday'; expected ISO 8601"):
        account.invoke("list_detectors", event)


def test_a_malformed_setting_is_refused_by_name(account: Account) -> None:
    with pytest.raises(InvalidSetting, match="DEADLINE_MINUTES is 'soon', expected int"):
        account.invoke("start_training_job", sample("start_training_job"), DEADLINE_MINUTES="soon")


def test_what_a_role_does_not_allow_is_denied_here_as_on_aws() -> None:
    stack = Stack()
    stack.template["Resources"]["RecordOutcomeRole"]["Properties"]["Policies"] = []

    with open_account(stack) as account, pytest.raises(AccessDenied, match="dynamodb:PutItem"):
        account.invoke("record_outcome", sample("record_outcome"))


LOGS_AND_COUNTS = """
from types import SimpleNamespace
from cutwatch.observability import count, logger, observed

@observed
def handler(event):
    logger.warning("careful")
    count("Rows", 3)
    return {}

context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=128, aws_request_id="1", invoked_function_arn="arn"
)
handler({}, context)
"""


@pytest.mark.parametrize(
    ("setting", "lambdas", "messages"),
    [
        ("DEBUG", "DEBUG", ["received", "careful", "done"]),
        ("INFO", "INFO", ["careful", "done"]),
        ("WARNING", "INFO", ["careful"]),
        ("ERROR", "INFO", []),
    ],
)
def test_the_setting_hides_lines_and_never_metrics(
    setting: str, lambdas: str, messages: list[str]
) -> None:
    levels = {"POWERTOOLS_LOG_LEVEL": setting, "AWS_LAMBDA_LOG_LEVEL": lambdas}
    names = {"POWERTOOLS_SERVICE_NAME": "cutwatch", "POWERTOOLS_METRICS_NAMESPACE": "Cutwatch"}
    answer = subprocess.run(
        [sys.executable, "-c", LOGS_AND_COUNTS],
        env={**os.environ, **levels, **names, "PYTHONPATH": os.pathsep.join(SEARCHED)},
        capture_output=True,
        text=True,
        check=True,
    )

    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["message"] for line in lines if "message" in line] == messages
    assert [line["Rows"] for line in lines if "_aws" in line] == [[3.0]]


def test_lambda_itself_never_filters_above_the_level_of_metrics(stack: Stack) -> None:
    level = stack.template["Globals"]["Function"]["LoggingConfig"]["ApplicationLogLevel"]

    assert set(level["Fn::If"][1:]) <= {"DEBUG", "INFO"}
