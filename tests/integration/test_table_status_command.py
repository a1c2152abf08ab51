"""`cutwatch status` of a stack with watched tables, on moto."""

import json
from typing import Any

import pytest

from cutwatch.detectors.watched_table import WatchedTable
from cutwatch.tables.forest_state import ForestStateStore
from tests.support.command_line import cutwatch
from tests.support.operated_streams import OPTIONS, OperatedStream
from tests.support.table_forests import ForestWatching, forest_table, rides

# Another account's queue: nobody may look at it, or it is gone.
GONE = "https://sqs.us-east-1.amazonaws.com/123456789012/gone"


def tables(code: int) -> list[dict[str, Any]]:
    result = cutwatch("status", *OPTIONS, "--json")
    assert result.exit_code == code, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["tables"]
    return found


def learn(sensors: OperatedStream, table: WatchedTable, count: int = 40) -> list[str]:
    """Store the states of forests after some changes; return their keys."""
    watching = ForestWatching(table)
    watching.score(*rides(count))
    for key, (content, _) in watching.bucket.objects.items():
        sensors.bucket.write_bytes(key, content)
    ForestStateStore(sensors.bucket, table.as_stream, table).buckets()
    return [*watching.bucket.objects]


@pytest.mark.slow
def test_forests_have_their_counts_and_the_time_of_the_newest_change(
    sensors: OperatedStream,
) -> None:
    sensors.join_table("taxi")
    learn(sensors, forest_table())
    [table] = tables(0)
    forests = table["forests"]
    assert (forests["keys"], forests["changes_applied"], forests["changes_late"]) == (1, 40, 0)
    assert forests["configuration"] == forest_table().as_stream.fingerprint
    assert forests["newest_change"] is not None
    assert (table["table"], table["endpoint"], table["problems"]) == ("taxi", None, [])

    printed = cutwatch("status", *OPTIONS).stdout.splitlines()
    [heading] = [line for line in printed if line.startswith("Table")]
    [row] = [line for line in printed if line.startswith("taxi")]
    assert heading.split()[1:5] == ["Keys", "Applied", "Late", "Rejected"]
    assert row.split()[1:5] == ["1", "40", "0", "0"]


def test_forests_before_their_first_change_are_shown_without_a_problem(
    sensors: OperatedStream,
) -> None:
    sensors.join_table("taxi")
    [table] = tables(0)
    assert (table["forests"]["changes_applied"], table["forests"]["newest_change"]) == (0, None)


@pytest.mark.parametrize("damaged", [b"damaged\nby hand\n"])
def test_a_damaged_state_of_forests_is_named(sensors: OperatedStream, damaged: bytes) -> None:
    sensors.join_table("taxi")
    [key] = [each for each in learn(sensors, forest_table()) if each.endswith("0000")]
    sensors.bucket.write_bytes(key, damaged)
    [table] = tables(1)
    [problem] = table["problems"]
    assert problem.startswith(f"state not readable, {key}: ")


def test_a_table_that_cannot_be_read_stops_no_other(sensors: OperatedStream) -> None:
    sensors.join_table("rides", LostRecordsQueueUrl=GONE)
    sensors.join_table("taxi")
    learn(sensors, forest_table())
    bad, good = tables(1)
    assert (bad["table"], good["table"]) == ("rides", "taxi")
    [problem] = bad["problems"]
    assert problem.startswith("status not readable: GetQueueAttributes: ")
    assert bad["forests"] is None
    assert (good["forests"]["changes_applied"], good["problems"]) == (40, [])
    printed = cutwatch("status", *OPTIONS).stdout
    assert f"rides: {problem}" in printed


def test_a_table_whose_endpoint_does_not_exist_names_the_state_machine(
    sensors: OperatedStream,
) -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:cutwatch-training"
    sensors.join_table("taxi", EndpointName="cutwatch-taxi", EndpointStateMachineArn=machine)
    [table] = tables(1)
    [problem] = table["problems"]
    assert problem.startswith(
        "endpoint cutwatch-taxi does not exist, so changes wait in the stream"
    )
    assert table["forests"] is None
