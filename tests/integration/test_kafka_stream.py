"""A log from Kafka's event to the hourly report: the handlers of stacks/kafka_stream.yaml on moto."""

import base64
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import time_machine
from moto import mock_aws

from cutwatch.anomaly_models.fitted_model import FittedModel
from cutwatch.aws.clients import client
from cutwatch.aws.s3 import Bucket
from cutwatch.delivery import stream_function
from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.errors import ConditionFailed
from cutwatch.reports.hour_report import HourReport, report_key
from cutwatch.reports.reporting import HourReporter
from cutwatch.streams.trained_model import model_key
from cutwatch_cli.access_logs.stream_training import train_stream
from tests.support.hour_reports import HOUR, a_summary
from tests.support.log_events import MONDAY, ordinary_events

DETECTORS = """\
streams:
  - name: shop
    source: kafka:shop-access
    model: one_class_svm
    model_version: "{version}"
    log:
      key: kafka.headers.service
      time: at
      time_format: seconds
      response_time: seconds
      method: method
      path: path
      status: status
      level: level
"""

TRAFFIC = ordinary_events(400, seed=7)


class Context:
    """What the handlers read of Lambda's context."""

    function_name, memory_limit_in_mb, aws_request_id = "f", 1_769, "r"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:f"

    def get_remaining_time_in_millis(self) -> int:
        return 100_000


@cache
def fitted_model() -> FittedModel:
    """Train the model of the stream once for all tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "detectors.yaml")
        file.write_text(DETECTORS.format(version=""))
        [stream] = load_configuration(file).streams
    return train_stream(stream, ordinary_events(4_000))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The stack's bucket, table, topics and queues, a trained model, and the environment of its functions."""
    with mock_aws():
        client("s3").create_bucket(Bucket="data")
        client("dynamodb").create_table(
            TableName="registry",
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        sqs = client("sqs")
        queues = {
            "results_url": sqs.create_queue(QueueName="results")["QueueUrl"],
            "rejected_records_url": sqs.create_queue(
                QueueName="rejected.fifo", Attributes={"FifoQueue": "true"}
            )["QueueUrl"],
        }
        topic = client("sns").create_topic(Name="topic")["TopicArn"]
        file = tmp_path / "detectors.yaml"
        fitted = fitted_model()
        file.write_text(DETECTORS.format(version=fitted.version))
        [stream] = load_configuration(file).streams
        Bucket(client("s3"), "data").write_bytes(model_key(stream), fitted.to_bytes())
        settings = {
            "stream_name": "shop",
            "stream_arn": "kafka:shop-access",
            "base_stack": "cutwatch",
            "table_name": "registry",
            "bucket_name": "data",
            "anomaly_namespace": "Cutwatch",
            "topic_arn": topic,
            "operations_topic_arn": topic,
            "notification_severity": "high",
            "aws_region": "us-east-1",
            "detectors_file": str(file),
            **queues,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name.upper(), value)
        stream_function._functions.clear()
        yield settings
        stream_function._functions.clear()


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


def invoke(function: str, event: dict[str, Any]) -> Any:
    return import_module(function).handler(event, Context())


def stored_report(hour: int = int(MONDAY + 7_200)) -> dict[str, Any]:
    payload: dict[str, Any] = Bucket(client("s3"), "data").read_json(report_key("shop", hour))
    return payload


def test_records_become_a_report_however_often_they_come(place: dict[str, str]) -> None:
    for start in (0, 100, 100, 200):
        assert invoke("score_kafka", kafka_event(start, 100)) == {"batchItemFailures": []}
    first = invoke("report_hour", {})
    report = stored_report()

    assert report["total"]["records"] == 300
    assert first["reports"] == [report_key("shop", int(MONDAY + 7_200))]
    [slow] = [each for each in report["anomalies"] if each["response_time"] == 9.0]
    assert slow["id"] == "shop-access-0:150"
    assert slow["reasons"][0].startswith("`POST /cart` took 9 s, usually")
    again = invoke("report_hour", {})
    assert again == {"added": 0, "known": 0, "reports": []}


def test_a_record_that_is_not_a_log_record_is_counted_and_kept(place: dict[str, str]) -> None:
    event = kafka_event(0, 10)
    event["records"]["shop-access-0"][0]["value"] = base64.b64encode(b"password=4711").decode()
    invoke("score_kafka", event)
    invoke("report_hour", {})
    report = stored_report()
    letters = client("sqs").receive_message(QueueUrl=place["rejected_records_url"])["Messages"]

    assert report["rejected"] == {"not JSON": 1}
    assert "4711" not in json.dumps(report)
    assert json.loads(letters[0]["Body"])["reason"] == "not JSON"


def test_a_stream_without_its_model_fails_with_the_command_that_makes_it(
    place: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(place["detectors_file"]).write_text(DETECTORS.format(version=""))
    with pytest.raises(Exception, match="run cutwatch train"):
        invoke("score_kafka", kafka_event(0, 1))


def reporter(place: dict[str, str]) -> HourReporter:
    return HourReporter("shop", Bucket(client("s3"), "data"), client("sqs"), place["results_url"])


def send(place: dict[str, str], *bodies: Any) -> None:
    for body in bodies:
        text = body if isinstance(body, str) else json.dumps(body)
        client("sqs").send_message(QueueUrl=place["results_url"], MessageBody=text)


def an_hour_later() -> AbstractContextManager[object]:
    """Move the clock past the visibility timeout of the queue."""
    return time_machine.travel(datetime.now(UTC) + timedelta(hours=1))


def test_a_run_that_ends_between_report_and_deletion_counts_nothing_twice(
    place: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(place, a_summary("1"), a_summary("2"))

    def crash(*_: Any) -> None:
        raise RuntimeError("the function ended")

    with monkeypatch.context() as during:
        during.setattr(HourReporter, "_delete", crash)
        with pytest.raises(RuntimeError, match="the function ended"):
            reporter(place).run(lambda: True)
    assert stored_report(HOUR)["total"]["records"] == 200

    with an_hour_later():
        drained = reporter(place).run(lambda: True)
        assert (drained.added, drained.known) == (0, 2)
        assert stored_report(HOUR)["total"]["records"] == 200
        assert reporter(place).run(lambda: True).reports == set()


def test_a_run_that_ends_before_the_report_loses_nothing(
    place: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(place, a_summary("1"))
    with monkeypatch.context() as during:
        during.setattr(HourReporter, "_put", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            reporter(place).run(lambda: True)
    with an_hour_later():
        reporter(place).run(lambda: True)
    assert stored_report(HOUR)["total"]["records"] == 100


def test_a_queue_full_of_an_hours_duplicates_counts_them_once(place: dict[str, str]) -> None:
    send(place, *[a_summary(str(number % 5)) for number in range(60)])
    drained = reporter(place).run(lambda: True)
    assert (drained.added, drained.known) == (5, 55)
    assert stored_report(HOUR)["total"]["records"] == 500


def test_two_runs_at_once_lose_nothing(
    place: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, original = Bucket(client("s3"), "data"), HourReporter._put

    def beaten(self: HourReporter, report: HourReport, etag: str | None) -> None:
        monkeypatch.setattr(HourReporter, "_put", original)
        other = HourReport("shop", HOUR)
        other.add(a_summary("other"))
        bucket.write(report_key("shop", HOUR), json.dumps(other.to_payload()))
        raise ConditionFailed("PutObject", "PreconditionFailed", "another run was faster")

    monkeypatch.setattr(HourReporter, "_put", beaten)
    send(place, a_summary("mine"))
    reporter(place).run(lambda: True)
    assert stored_report(HOUR)["ids"] == ["mine", "other"]


def test_messages_of_several_hours_have_their_own_reports_with_page_and_csv(
    place: dict[str, str],
) -> None:
    send(place, a_summary("1"), a_summary("2", hour=HOUR - 86_400))
    reporter(place).run(lambda: True)
    keys = {each.key for each in Bucket(client("s3"), "data").list("streams/shop/reports/")}
    assert keys == {
        report_key("shop", hour, ending)
        for hour in (HOUR, HOUR - 86_400)
        for ending in ("json", "html", "csv")
    }
    page = client("s3").get_object(Bucket="data", Key=report_key("shop", HOUR, "html"))
    assert page["ContentType"] == "text/html; charset=utf-8"


def test_a_message_that_is_not_a_summary_stays_for_the_dead_letters(
    place: dict[str, str],
) -> None:
    send(place, "not JSON", a_summary("1"))
    drained = reporter(place).run(lambda: True)
    assert (drained.added, drained.malformed) == (1, 1)
    with an_hour_later():
        left = client("sqs").receive_message(QueueUrl=place["results_url"])["Messages"]
    assert [each["Body"] for each in left] == ["not JSON"]
