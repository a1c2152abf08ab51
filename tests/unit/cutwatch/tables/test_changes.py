"""Changes of a table from events, with the sample events of its functions."""

import json
from collections import Counter
from datetime import datetime

import pytest

from cutwatch.errors import CutwatchError
from cutwatch.streams.record import Reason
from cutwatch.tables.changes import changes_of
from cutwatch.tables.runs import open_run
from tests.support.project import PROJECT
from tests.support.sample_events import EVENTS, sample
from tests.support.table_forests import ForestWatching, forest_table
from tests.support.watched_tables import Watching, watched

STARTED = "2026-11-01T03:00:04Z"


def test_an_insert_and_a_modification_are_scored_and_an_expired_item_is_not() -> None:
    event = sample("score_dynamodb_stream")
    assert [each["eventName"] for each in event["Records"]] == ["INSERT", "MODIFY", "REMOVE"]
    assert event["Records"][2]["userIdentity"]["principalId"] == "dynamodb.amazonaws.com"
    batch = Watching(watched(time="time")).score(*event["Records"])
    assert (batch.report.total("accepted"), batch.failed) == (2, [])


@pytest.mark.parametrize("watching", [Watching(watched(time="time")), ForestWatching(forest_table(time="time"))], ids=["endpoint", "forest"])  # fmt: skip
def test_attributes_of_every_type_are_scored_or_have_a_reason(
    watching: Watching | ForestWatching,
) -> None:
    records = sample("score_dynamodb_stream.attribute_types")["Records"]
    types = {kind for each in records for value in each["dynamodb"].get("NewImage", {}).values() for kind in value}  # fmt: skip
    assert types == {"S", "N", "B", "BOOL", "NULL", "M", "SS", "NS", "BS"}
    batch = watching.score(*records)
    assert batch.report.total("accepted") == 1
    reasons = Counter(each.reason for result in batch.report.results for each in result.rejected)
    assert reasons == {Reason.NOT_A_NUMBER: 2, Reason.MISSING_FIELD: 3, Reason.TOO_LARGE: 1}


def test_changes_of_every_sample_have_identities_of_their_own() -> None:
    names = [path.stem for path in EVENTS.glob("score_dynamodb_stream*.json")]
    ids = [each.id for name in names for each in changes_of(sample(name))]
    assert len(set(ids)) == len(ids) > 5


def test_the_state_machine_takes_a_schedule_and_a_rollback() -> None:
    run = open_run(sample("endpoint"), STARTED)
    assert run.scheduled == datetime.fromisoformat("2026-11-01T03:00:00+00:00")
    machine = json.loads((PROJECT / "statemachines" / "endpoint.asl.json").read_text())
    [choice] = machine["States"]["Roll Back?"]["Choices"]
    assert choice["Variable"] == "$.event.roll_back"
    assert sample("endpoint.roll_back") == {"roll_back": True}


@pytest.mark.parametrize("name", ["start_export", "prepare_records"])
def test_the_samples_of_a_run_name_one_run(name: str) -> None:
    event = sample(name)
    assert open_run(event["event"], event["started"]).scheduled is not None


def test_an_event_of_another_source_is_refused_with_the_sample_s_name() -> None:
    with pytest.raises(CutwatchError, match=r"events/score_dynamodb_stream\.json"):
        changes_of(sample("score_kinesis"))
