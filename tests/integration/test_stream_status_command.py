"""`cutwatch status` of a stack with streams, on moto."""

import json
from datetime import timedelta
from typing import Any

from cutwatch.aws.clients import client
from cutwatch.detectors.stream import ForestSettings
from cutwatch.registry.silences import Silence
from cutwatch.streams.model_register import ModelRegister
from cutwatch.streams.retirement import RetiredBucket
from tests.support.command_line import cutwatch
from tests.support.kafka_logs import STREAM as KAFKA_STREAM
from tests.support.kafka_logs import a_training
from tests.support.operated_streams import (
    KAFKA_TRAIN,
    OPTIONS,
    STREAM,
    OperatedStream,
    an_incident,
)


def status(code: int, *arguments: str) -> Any:
    result = cutwatch("status", *OPTIONS, "--json", *arguments)
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def problems(code: int = 1) -> list[str]:
    [stream] = status(code)["streams"]
    found: list[str] = stream["problems"]
    return found


def test_a_healthy_stream_without_detectors_is_fine(sensors: OperatedStream) -> None:
    sensors.apply(count=30)
    sensors.record(an_incident(sensors.now))
    sensors.record(an_incident(sensors.now, timedelta(days=8), number=2), "ended")

    answer = status(0)

    assert answer["detectors"] == []
    [stream] = answer["streams"]
    assert stream["stream"] == STREAM
    assert (stream["keys"], stream["records_applied"], stream["records_late"]) == (1, 30, 0)
    assert 90 <= stream["seconds_since_newest_record"] < 3_600
    assert (stream["open_incidents"], stream["incidents_last_week"]) == (1, 1)
    assert stream["mapping_state"] == "Enabled"
    assert stream["problems"] == []


def test_the_table_has_a_row_for_the_stream(sensors: OperatedStream) -> None:
    sensors.apply(count=30)
    sensors.silences.record(Silence(STREAM, sensors.now, sensors.now + timedelta(days=1), "a test"))

    result = cutwatch("status", *OPTIONS)

    heading, row, silenced, verdict = result.stdout.splitlines()
    assert heading.split()[:4] == ["Stream", "Keys", "Applied", "Late"]
    assert row.split()[:5] == [STREAM, "1", "30", "0", "0"]
    assert silenced.startswith(f"{STREAM}: silenced until ")
    assert verdict == "1 stream, none with problems."


def test_a_stream_before_its_first_record_is_shown_without_a_problem(
    sensors: OperatedStream,
) -> None:
    [stream] = status(0)["streams"]

    assert stream["records_applied"] == 0
    assert stream["newest_record_arrived"] is None


def test_everything_that_keeps_records_or_notifications_is_a_problem(
    sensors: OperatedStream,
) -> None:
    sensors.apply()
    sensors.disable_mapping()
    sensors.fail(times=4)
    sensors.wait(timedelta(minutes=20))
    sensors.send("LostRecords")
    sensors.send("RejectedRecords")

    mapping, failures, waiting, lost, rejected = problems()

    assert mapping == "the event source mapping is Disabled: no record is read"
    assert failures.startswith("cutwatch-sensors-ScoreKinesis failed 4 times in the last 15 min")
    assert failures.endswith("cutwatch logs sensors")
    assert waiting == "records wait: they were up to 20 min old when they were read"
    assert lost == f"records lost: 1 message in {sensors.queues['LostRecords']}"
    assert rejected == f"records rejected: 1 message in {sensors.queues['RejectedRecords']}"


def test_problems_alone_are_shown_on_demand(sensors: OperatedStream) -> None:
    sensors.apply()
    assert status(0, "--problems")["streams"] == []

    sensors.send("LostRecords")
    assert [each["stream"] for each in status(1, "--problems")["streams"]] == [STREAM]


def test_a_damaged_state_is_named(sensors: OperatedStream) -> None:
    sensors.apply()
    [key] = [each.key for each in sensors.bucket.list("streams/") if each.key.endswith("0000")]
    sensors.bucket.write_bytes(key, b"damaged\nby hand\n")

    [problem] = problems()

    assert problem.startswith(f"state not readable, {key}: not a bucket of a stream's keys")


def test_a_missing_forest_of_a_cold_start_is_a_problem_for_a_day_and_shown_ever_after(
    sensors: OperatedStream,
) -> None:
    reason = "detector 'vibration' has no model yet"
    sensors.apply()
    sensors.begin_cold(reason)

    [problem] = problems()
    assert problem.startswith(
        f"keys begin with nothing, not with the forest of detector 'vibration': {reason}; "
    )
    assert problem.endswith("docs/streams.md, Try again after a missing forest, says what to do")

    written = {
        each.key: sensors.bucket.read_bytes(each.key) for each in sensors.bucket.list("streams/")
    }
    _age(written, timedelta(days=2))
    [stream] = status(0)["streams"]
    assert stream["cold_start_missing"] == reason
    assert f"{STREAM}: {problem}" in cutwatch("status", *OPTIONS).stdout.splitlines()


def test_a_stream_that_names_no_detector_misses_no_forest(sensors: OperatedStream) -> None:
    sensors.apply()
    assert status(0)["streams"][0]["cold_start_missing"] is None


def test_a_damaged_copy_of_a_detectors_forest_is_named(sensors: OperatedStream) -> None:
    sensors.apply()
    sensors.begin_cold("unknown")
    [key] = [each.key for each in sensors.bucket.list("cold-starts/")]
    sensors.bucket.write_bytes(key, b"damaged")
    [problem] = problems()
    assert f"s3://data/{key}: not a forest for a cold start" in problem


def test_a_new_configuration_says_that_its_forests_started_from_scratch(
    sensors: OperatedStream,
) -> None:
    sensors.apply(count=30, forest=ForestSettings(trees=5, sample_size=30))
    # moto's objects have whole seconds; the newer configuration is the one that was written later.
    old = {
        each.key: sensors.bucket.read_bytes(each.key) for each in sensors.bucket.list("streams/")
    }
    _age(old, timedelta(days=3))
    sensors.apply(count=10)

    [stream] = status(1)["streams"]

    assert stream["records_applied"] == 10
    [problem] = stream["problems"]
    assert problem.startswith(f"configuration {stream['configuration']} replaced ")
    assert problem.endswith("its forests started from scratch")


def test_a_configuration_whose_incidents_were_ended_later_is_still_the_one_before(
    sensors: OperatedStream,
) -> None:
    sensors.apply(count=10)
    current = {
        each.key: sensors.bucket.read_bytes(each.key) for each in sensors.bucket.list("streams/")
    }
    _age(current, timedelta(hours=1))
    sensors.apply(count=30, forest=ForestSettings(trees=5, sample_size=30))
    [retired] = [
        each.key
        for each in sensors.bucket.list("streams/")
        if each.key not in current and each.key.endswith("0000")
    ]
    bucket = RetiredBucket.from_bytes(sensors.bucket.read_bytes(retired))
    bucket.header["retired"] = True
    sensors.bucket.write_bytes(retired, bucket.to_bytes())

    [stream] = status(1)["streams"]

    assert stream["records_applied"] == 10
    assert any("its forests started from scratch" in each for each in stream["problems"])


def _age(objects: dict[str, bytes], span: timedelta) -> None:
    from moto.s3.models import s3_backends  # noqa: PLC0415 - moto has no call that ages an object

    bucket = s3_backends["123456789012"]["global"].buckets["data"]
    for key in objects:
        bucket.keys[key].last_modified -= span


def test_stacks_of_other_base_stacks_are_left_out(sensors: OperatedStream) -> None:
    sensors.apply()
    outputs = client("cloudformation").describe_stacks(StackName="cutwatch-sensors")["Stacks"][0]
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {
            each["OutputKey"]: {
                "Value": "another" if each["OutputKey"] == "BaseStack" else each["OutputValue"]
            }
            for each in outputs["Outputs"]
        },
    }
    client("cloudformation").create_stack(StackName="x", TemplateBody=json.dumps(template))

    assert [each["stack"] for each in status(0)["streams"]] == ["cutwatch-sensors"]


def shop(code: int) -> Any:
    [found] = [each for each in status(code)["streams"] if each["stream"] == "shop"]
    return found


def test_a_kafka_stream_has_the_records_that_wait_in_its_topic(sensors: OperatedStream) -> None:
    sensors.join_kafka()
    sensors.lag(5_000.0, 12.0)
    found = shop(0)
    assert (found["stream_arn"], found["records_waiting"]) == ("kafka:shop-access", 12)
    assert found["model_version"] is None
    assert found["problems"] == []
    sensors.lag(5_000.0)
    assert shop(1)["problems"] == ["5,000 records wait in the topic"]


def test_topics_without_a_mapping_are_a_problem_and_the_longest_queue_counts(
    sensors: OperatedStream,
) -> None:
    sensors.join_kafka(topics="shop-access,shop-api")
    sensors.lag(12.0, 5_000.0)
    assert shop(1)["problems"] == [
        "1 of 2 topics have no event source mapping: their records are not read",
        "5,000 records wait in one of 2 topics",
    ]
    sensors.disable_mapping()
    assert shop(1)["problems"][1] == "an event source mapping is Disabled: its topic is not read"


def test_a_training_that_failed_is_a_problem_of_its_stream(sensors: OperatedStream) -> None:
    sensors.join_kafka()
    sensors.report("Errors", [1.0], FunctionName=KAFKA_TRAIN)
    [problem] = shop(1)["problems"]
    assert problem.startswith(f"{KAFKA_TRAIN} failed 1 time in the last 15 min; ")


def test_reports_are_not_a_configuration_of_the_state(sensors: OperatedStream) -> None:
    sensors.apply(count=30)
    sensors.bucket.write_bytes(f"streams/{STREAM}/reports/2026/11/28/17.json", b"{}")
    [found] = status(0)["streams"]
    assert (found["records_applied"], found["problems"]) == (30, [])


def test_the_model_of_a_log_is_shown_and_whether_a_rollback_holds_it(
    sensors: OperatedStream,
) -> None:
    sensors.join_kafka()
    training = a_training(500)
    register = ModelRegister(sensors.bucket, KAFKA_STREAM)
    register.add(training.fitted, training.entry(0.0))
    found = shop(0)
    assert (found["model_version"], found["model_held"]) == (training.fitted.version, False)
    assert found["model_trained_until"] == "2026-06-01T00:06:39Z"
    register.roll_back(training.fitted.version)
    words = f"shop: model {training.fitted.version} is held since a rollback"
    assert words in cutwatch("status", *OPTIONS).stdout
