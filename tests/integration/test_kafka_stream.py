"""A log from Kafka's event to the hourly report: the handlers of stacks/kafka_stream.yaml on moto."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cutwatch.aws.clients import client
from cutwatch.errors import ConditionFailed
from cutwatch.reports.hour_report import HourReport, report_key
from cutwatch.reports.reporting import HourReporter
from cutwatch.streams.model_register import ModelRegister
from tests.support.hour_reports import HOUR, a_summary
from tests.support.kafka_logs import a_training
from tests.support.kafka_stack import (
    DETECTORS,
    DETECTORS_OF_ENDPOINT,
    KafkaStack,
    opened_kafka_stack,
)
from tests.support.log_endpoints import an_endpoint_training
from tests.support.log_events import MONDAY, ordinary_events

KEYED = DETECTORS.replace("    log:\n", "    log:\n      key: kafka.headers.service\n")
TRAFFIC = ordinary_events(400, seed=7)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[KafkaStack]:
    """The stack with a trained model."""
    with opened_kafka_stack(tmp_path, KEYED) as found:
        found.make_current(a_training(4_000))
        yield found


def a_kafka_record(number: int, partition: int, **fields: Any) -> dict[str, Any]:
    ordinary = TRAFFIC[number]
    event = ordinary._replace(time=ordinary.time + 7_200, **fields)
    content = {
        "at": event.time,
        "seconds": event.response_time,
        "method": event.method,
        "path": event.path,
        "status": event.status,
        "level": event.level,
    }
    return {
        "topic": "shop-access",
        "partition": partition,
        "offset": number,
        "timestamp": int(1_000 * event.time),
        "timestampType": "CREATE_TIME",
        "value": base64.b64encode(json.dumps(content).encode()).decode(),
        "headers": [{"service": list(b"shop")}],
    }


def kafka_event(start: int, count: int) -> dict[str, Any]:
    partitions: dict[str, list[dict[str, Any]]] = {"shop-access-0": [], "shop-access-1": []}
    for number in range(start, start + count):
        slow = {"method": "POST", "path": "/cart", "response_time": 9.0} if number == 150 else {}
        partitions[f"shop-access-{number % 2}"].append(a_kafka_record(number, number % 2, **slow))
    return {"eventSource": "SelfManagedKafka", "bootstrapServers": "b:9092", "records": partitions}


def test_records_become_a_report_however_often_they_come(stack: KafkaStack) -> None:
    for start in (0, 100, 100, 200):
        assert stack.invoke("score_kafka", kafka_event(start, 100)) == {"batchItemFailures": []}
    first = stack.invoke("report_hour", {})
    report = stack.report(int(MONDAY + 7_200))

    assert report["total"]["records"] == 300
    assert first["reports"] == [report_key("shop", int(MONDAY + 7_200))]
    [slow] = [each for each in report["anomalies"] if each["response_time"] == 9.0]
    assert slow["id"] == "shop-access-0:150"
    assert slow["reasons"][0].startswith("`POST /cart` took 9 s, usually")
    again = stack.invoke("report_hour", {})
    assert again == {"added": 0, "known": 0, "reports": []}


def test_a_record_that_is_not_a_log_record_is_counted_and_kept(stack: KafkaStack) -> None:
    event = kafka_event(0, 10)
    event["records"]["shop-access-0"][0]["value"] = base64.b64encode(b"password=4711").decode()
    stack.invoke("score_kafka", event)
    stack.invoke("report_hour", {})
    report = stack.report(int(MONDAY + 7_200))
    letters = client("sqs").receive_message(QueueUrl=stack.queues["rejected_records_url"])[
        "Messages"
    ]

    assert report["rejected"] == {"not JSON": 1}
    assert "4711" not in json.dumps(report)
    assert json.loads(letters[0]["Body"])["reason"] == "not JSON"


def test_a_stream_without_its_model_fails_with_the_command_that_makes_it(
    stack: KafkaStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.bucket.delete(ModelRegister(stack.bucket, stack.stream).key)
    with pytest.raises(Exception, match="run cutwatch train"):
        stack.invoke("score_kafka", kafka_event(0, 1))


@pytest.fixture
def by_endpoint(tmp_path: Path) -> Iterator[KafkaStack]:
    with opened_kafka_stack(tmp_path, DETECTORS_OF_ENDPOINT) as stack:
        stack.make_current(an_endpoint_training("a"))
        yield stack


def test_a_function_without_the_endpoint_of_its_stream_names_the_parameter(
    by_endpoint: KafkaStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENDPOINT_NAME")
    with pytest.raises(Exception, match="deploy its stack with EndpointName"):
        by_endpoint.invoke("score_kafka", kafka_event(0, 1))


def test_the_stacks_function_does_not_train_the_model_of_an_endpoint(
    by_endpoint: KafkaStack,
) -> None:
    with pytest.raises(Exception, match="SageMaker trains the model of stream 'shop': run"):
        by_endpoint.invoke("train_log", {})


def reporter(stack: KafkaStack) -> HourReporter:
    return HourReporter("shop", stack.bucket, client("sqs"), stack.queues["results_url"])


def test_a_run_that_ends_between_report_and_deletion_counts_nothing_twice(
    stack: KafkaStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.send_result(a_summary("1"), a_summary("2"))

    def crash(*_: Any) -> None:
        raise RuntimeError("the function ended")

    with monkeypatch.context() as during:
        during.setattr(HourReporter, "_delete", crash)
        with pytest.raises(RuntimeError, match="the function ended"):
            reporter(stack).run(lambda: True)
    assert stack.report(HOUR)["total"]["records"] == 200

    stack.let_visibility_end()
    drained = reporter(stack).run(lambda: True)
    assert (drained.added, drained.known) == (0, 2)
    assert stack.report(HOUR)["total"]["records"] == 200
    assert reporter(stack).run(lambda: True).reports == set()


def test_a_run_that_ends_before_the_report_loses_nothing(
    stack: KafkaStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.send_result(a_summary("1"))
    with monkeypatch.context() as during:
        during.setattr(HourReporter, "_put", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reporter(stack).run(lambda: True)
    stack.let_visibility_end()
    reporter(stack).run(lambda: True)
    assert stack.report(HOUR)["total"]["records"] == 100


def test_a_queue_full_of_an_hours_duplicates_counts_them_once(stack: KafkaStack) -> None:
    stack.send_result(*[a_summary(str(number % 5)) for number in range(60)])
    drained = reporter(stack).run(lambda: True)
    assert (drained.added, drained.known) == (5, 55)
    assert stack.report(HOUR)["total"]["records"] == 500


def test_two_runs_at_once_lose_nothing(stack: KafkaStack, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket, original = stack.bucket, HourReporter._put

    def beaten(self: HourReporter, report: HourReport, *_: Any) -> None:
        monkeypatch.setattr(HourReporter, "_put", original)
        other = HourReport("shop", HOUR)
        other.add(a_summary("other"))
        bucket.write(report_key("shop", HOUR), json.dumps(other.to_payload()))
        raise ConditionFailed("PutObject", "PreconditionFailed", "another run was faster")

    monkeypatch.setattr(HourReporter, "_put", beaten)
    stack.send_result(a_summary("mine"))
    reporter(stack).run(lambda: True)
    assert stack.report(HOUR)["ids"] == ["mine", "other"]


def test_messages_of_several_hours_have_their_own_reports_with_page_and_csv(
    stack: KafkaStack,
) -> None:
    stack.send_result(a_summary("1"), a_summary("2", hour=HOUR - 86_400))
    reporter(stack).run(lambda: True)
    keys = {each.key for each in stack.bucket.list("streams/shop/reports/")}
    assert keys == {
        report_key("shop", hour, ending)
        for hour in (HOUR, HOUR - 86_400)
        for ending in ("json", "html", "csv")
    }
    page = client("s3").get_object(Bucket="data", Key=report_key("shop", HOUR, "html"))
    assert page["ContentType"] == "text/html; charset=utf-8"


def test_a_report_says_in_words_what_was_found_and_how_the_days_before_were(
    stack: KafkaStack,
) -> None:
    stack.send_result(a_summary("1"), a_summary("2", hour=HOUR - 86_400))
    reporter(stack).run(lambda: True)
    stack.send_result(a_summary("3"))
    reporter(stack).run(lambda: True)
    report = stack.report(HOUR)
    assert report["trends"]["records"] == {
        "value": 200.0, "low": 100.0, "median": 100.0, "high": 100.0, "change": 1.0,
    }  # fmt: skip
    assert report["explanations"] == [
        {
            "column": "response_time",
            "records": 4,
            "example": "`POST /cart` took 4.2 s, usually 0.1–0.3 s at this hour",
        }
    ]


def test_a_second_run_in_the_hour_writes_nothing(stack: KafkaStack) -> None:
    stack.send_result(a_summary("1"))
    reporter(stack).run(lambda: True)
    before = {each.key: each.etag for each in stack.bucket.list("streams/shop/reports/")}
    assert reporter(stack).run(lambda: True).reports == set()
    assert {each.key: each.etag for each in stack.bucket.list("streams/shop/reports/")} == before


def test_a_message_that_is_not_a_summary_stays_for_the_dead_letters(
    stack: KafkaStack,
) -> None:
    stack.send_result("not JSON", a_summary("1"))
    drained = reporter(stack).run(lambda: True)
    assert (drained.added, drained.malformed) == (1, 1)
    stack.let_visibility_end()
    left = client("sqs").receive_message(QueueUrl=stack.queues["results_url"])["Messages"]
    assert [each["Body"] for each in left] == ["not JSON"]
