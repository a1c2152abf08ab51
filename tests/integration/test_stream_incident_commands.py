"""`cutwatch events`, `silence` and `logs` of streams, on moto."""

import json
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import jsonschema
import pytest
from botocore.exceptions import ClientError

from cutwatch.detection.anomaly_event import AnomalyEvent
from cutwatch.registry.event_record import RecordedEvent
from cutwatch.registry.event_store import EventStore
from cutwatch.timestamps import format_timestamp
from cutwatch_cli.stacks import stream_stacks
from tests.support.command_line import assert_one_line_mistake, cutwatch
from tests.support.operated_streams import OPTIONS, STREAM, OperatedStream, an_incident
from tests.support.project import PROJECT

SCHEMA = json.loads((PROJECT / "docs" / "stream-incident.schema.json").read_text())


def listed(*arguments: str) -> list[dict[str, Any]]:
    result = cutwatch("events", *arguments, *OPTIONS, "--json")
    assert result.exit_code == 0, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_incidents_are_listed_although_no_transform_ran(sensors: OperatedStream) -> None:
    sensors.record(an_incident(sensors.now, timedelta(hours=1), number=1))
    sensors.record(an_incident(sensors.now, timedelta(hours=3), number=2, severity=1.6), "ended")

    for arguments in ([], [STREAM]):
        result = cutwatch("events", *arguments, *OPTIONS)
        assert result.exit_code == 0, result.output
        heading, opened, ended = result.stdout.splitlines()
        assert heading.split()[3:8] == ["Key", "Lasts", "Severity", "x", "cutoff"]
        assert opened.split()[2:] == f"{STREAM} pump-1 open high 3.2 x 60 1 (0.5 to 1.5)".split()
        assert ended.split()[2:] == f"{STREAM} pump-1 10 min medium 1.6 x 60 1 (0.5 to 1.5)".split()


def test_json_has_the_fields_of_the_event_and_whether_it_ended(sensors: OperatedStream) -> None:
    sensors.record(an_incident(sensors.now), "ended")

    [payload] = listed()

    assert (payload.pop("ended"), payload.pop("mailed")) == (True, False)
    jsonschema.Draft202012Validator(SCHEMA).validate({**payload, "silenced": False})
    assert payload["change"] == "ended"


def test_json_has_events_and_incidents_newest_first(sensors: OperatedStream) -> None:
    times = [format_timestamp(sensors.now - timedelta(hours=hours)) for hours in (2, 4)]
    events = [AnomalyEvent(f"orders:{time}", time, time, time, 1, 2.0, 2.0) for time in times]
    recorded = [RecordedEvent("orders", event, "transform-20261102T040000Z") for event in events]
    EventStore(sensors.incidents.table).record(recorded, sensors.now)
    sensors.record(an_incident(sensors.now, timedelta(hours=3)))

    names = [each.get("detector") or each["stream"] for each in listed()]

    assert names == ["orders", STREAM, "orders"]
    assert [each["stream"] for each in listed(STREAM)] == [STREAM]


def test_an_incident_that_became_more_severe_says_so(sensors: OperatedStream) -> None:
    incident = an_incident(sensors.now)
    sensors.record(incident)
    sensors.incidents.mark(incident, frozenset({"began:low", "escalated:high"}), mailed=True)

    [payload] = listed()

    assert (payload["change"], payload["ended"], payload["mailed"]) == ("escalated", False, True)


def test_an_old_transform_is_a_note_where_streams_are_listed_too(sensors: OperatedStream) -> None:
    sensors.bucket.write("runs/transform-20260608T030000Z/detectors.json", "[]")

    everything = cutwatch("events", *OPTIONS)
    only_streams = cutwatch("events", STREAM, *OPTIONS)

    assert (everything.exit_code, only_streams.exit_code) == (0, 0)
    assert "the newest is the transform of 2026-06-08 03:00 UTC" in everything.stderr
    assert only_streams.stderr == ""


@pytest.mark.usefixtures("sensors")
def test_an_unknown_name_is_refused_with_the_closest() -> None:
    assert_one_line_mistake(
        cutwatch("events", "sensor", *OPTIONS), "no detector or stream 'sensor'", "'sensors'?"
    )


@pytest.mark.usefixtures("sensors")
def test_without_the_permission_to_list_stacks_streams_are_left_out_with_a_note() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeStacks")
    with patch.object(stream_stacks, "stream_stacks", side_effect=denied):
        result = cutwatch("status", *OPTIONS)

    assert "streams left out: these credentials lack the permission" in result.stderr
    assert result.exit_code == 1


def test_a_stream_can_be_silenced_and_the_silence_ended(sensors: OperatedStream) -> None:
    silenced = cutwatch("silence", STREAM, "--for", "1d", "--reason", "a test", *OPTIONS)
    assert silenced.exit_code == 0, silenced.output
    assert [each.detector for each in sensors.silences.all()] == [STREAM]

    assert cutwatch("silence", "--lift", STREAM, *OPTIONS).exit_code == 0
    assert sensors.silences.all() == []


@pytest.mark.usefixtures("sensors")
def test_an_unknown_name_is_not_silenced() -> None:
    result = cutwatch("silence", "sensor", "--for", "1d", "--reason", "a test", *OPTIONS)
    assert_one_line_mistake(result, "no detector or stream 'sensor'; did you mean 'sensors'?")


LINE = {"function_name": "cutwatch-sensors-ScoreKinesis-1A2B", "stream": STREAM, "service": "x"}
REJECTED = LINE | {
    "level": "WARNING",
    "message": "rejected",
    "reason": "not a number",
    "records": 2,
    "detail": "x",
}
SCORED = LINE | {"level": "INFO", "message": "scored", "records": 1000, "accepted": 998, "late": 0}


def test_the_lines_of_a_stream_are_in_order_and_readable(sensors: OperatedStream) -> None:
    idle = LINE | {"level": "INFO", "message": "scored", "records": 0, "changes": 0}
    sensors.log(SCORED, idle, ago=timedelta(minutes=5))
    sensors.log(REJECTED, SCORED, ago=timedelta(minutes=20))
    sensors.log(SCORED, ago=timedelta(hours=2))

    result = cutwatch("logs", STREAM, *OPTIONS)

    assert result.exit_code == 0, result.output
    assert [line.partition(" ")[2][9:] for line in result.stdout.splitlines()] == [
        'WARNING ScoreKinesis           rejected reason="not a number" records=2 detail=x',
        "INFO    ScoreKinesis           scored records=1000 accepted=998",
        "INFO    ScoreKinesis           scored records=1000 accepted=998",
    ]
    assert len(cutwatch("logs", STREAM, "--since", "3h", *OPTIONS).stdout.splitlines()) == 4
    first, *_ = cutwatch("logs", STREAM, "--json", *OPTIONS).stdout.splitlines()
    assert json.loads(first) == REJECTED


@pytest.mark.usefixtures("sensors")
def test_a_stream_without_lines_and_a_run_with_a_time_are_refused() -> None:
    silent = cutwatch("logs", STREAM, *OPTIONS)
    assert (silent.exit_code, silent.stdout) == (1, "")
    assert "no log lines since" in silent.stderr

    run = cutwatch("logs", "transform-20260608T030000Z", "--since", "1h", *OPTIONS)
    assert_one_line_mistake(run, "--since is for streams", "transform-20260608T030000Z")
