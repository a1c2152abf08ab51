"""An operator's commands against the real stack of a stream on the local AWS, with the policies that are shipped for them."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.faults.stream_shop import BASE, STREAM, StreamShop, opened_stream_shop
from tests.support.command_line import cutwatch
from tests.support.every_call import DENIALS
from tests.support.operator_environment import operator_environment
from tests.support.policy_documents import acting_in, role_with

READER = "read-read-streams"
NAME = STREAM.name
READING = [
    (["status"], 1),
    (["events", "--since", "1d"], 0),
    (["events", NAME, "--since", "1d", "--json"], 0),
    (["logs", NAME, "--since", "3h"], 0),
    (["silence", "--list"], 0),
]


@pytest.fixture(scope="module")
def shop() -> Iterator[StreamShop]:
    """A stream with an incident and a rejected record, and a role that may read."""
    with opened_stream_shop() as shop:
        shop.rewind()
        shop.run()
        role_with(shop.aws, "read", "read-streams", stack=BASE)
        surroundings = operator_environment(shop.aws) | {
            "AWS_SESSION_TOKEN": "",
            "CUTWATCH_STACK": BASE,
        }
        with patch.dict(os.environ, surroundings):
            yield shop


@pytest.mark.slow
def test_status_counts_what_the_functions_applied(shop: StreamShop) -> None:
    result = cutwatch("status", "--json")

    [stream] = json.loads(result.stdout)["streams"]
    assert stream["stream"] == NAME
    assert stream["keys"] == 2
    assert stream["records_rejected"] == stream["rejected_record_messages"] == 1
    assert stream["records_applied"] > 190
    own = [name for name in shop.incidents() if name.startswith(f"{NAME}:")]
    assert stream["incidents_last_week"] == len(own) > 0
    assert stream["open_incidents"] == 0
    assert stream["mapping_state"] == "Enabled"
    replaced, rejected = stream["problems"]
    assert replaced.startswith(f"configuration {STREAM.fingerprint} replaced ")
    assert rejected.startswith("records rejected: 1 message in ")


def test_events_have_the_ids_that_the_functions_recorded(shop: StreamShop) -> None:
    result = cutwatch("events", "--since", "1d", "--json")

    found = json.loads(result.stdout)
    assert {each["id"] for each in found} == shop.incidents().keys()
    assert {(each["change"], each["ended"]) for each in found} == {("ended", True)}
    reasons = {(each["stream"], each["key"]): each["ended_because"] for each in found}
    assert reasons[NAME, "pump-a"] is None
    assert reasons[NAME, "pump-r"].startswith("stream sensors has another configuration since, ")
    assert reasons["vibrations", "pump-r"] == "stream vibrations is now called sensors"


@pytest.mark.usefixtures("shop")
def test_logs_name_the_reason_of_the_rejected_record() -> None:
    lines = cutwatch("logs", NAME, "--since", "3h").stdout.splitlines()

    assert sum("rejected reason=" in line for line in lines) == 1
    assert any(" ScoreKinesis " in line and " scored records=" in line for line in lines)


def test_the_functions_before_and_after_a_stream_and_its_reference_data_take_part(
    shop: StreamShop,
) -> None:
    """The preprocessor has the contract of Kinesis Data Analytics; keys come from the reference data."""
    lines = cutwatch("logs", NAME, "--since", "3h").stdout
    assert "preprocessor failed" in lines
    puts = [call for call in shop.aws.calls if call.operation == "PutEvents"]
    details = [json.loads(put.parameters["Entries"][0]["Detail"]) for put in puts]
    found = {each["key"]: each["added"]["runbook"] for each in details if each["stream"] == NAME}
    assert found.keys() >= {"pump-a", "pump-d"}
    assert found["pump-a"] == "https://runbooks.example/pump-a"


@pytest.mark.slow
def test_who_may_read_streams_can_use_every_command_that_reads(
    shop: StreamShop, tmp_path: Path
) -> None:
    with acting_in(READER):
        for arguments, code in READING:
            result = cutwatch(*arguments)
            assert result.exit_code == code, (arguments, result.output)
        page = tmp_path / "report.html"
        result = cutwatch("report", "--since", "1d", "--output", page)
        assert result.exit_code == 0, result.output

    assert [c for c in shop.aws.calls if c.role == READER and c.error_code in DENIALS] == []
    permissions = shop.aws.permissions
    unused = {use.statement for use in permissions.granted(READER) - permissions.uses}
    assert unused.isdisjoint(
        ["CountMessages", "ReadHeadersOfStates", "ReadLogsOfStreams", "ReadMappings"]
    )
