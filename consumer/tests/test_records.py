"""The event has Lambda's shape, and reports of failures are read in Kafka's form."""

from typing import Any

import pytest

from function_consumer.connection import InvalidSecret, connection
from function_consumer.failures import message
from function_consumer.main import InvalidSetting, Process
from function_consumer.queue import Condition, Discard
from function_consumer.records import Origin, Partition, Record, event_of, failed_of

RECORD = Record(
    Partition("shop", 2), 41, 1_795_885_201_250, "CREATE_TIME", b"k", b"v", (("id", b"\x7f\x80"),)
)
TOMBSTONE = Record(Partition("shop", 0), 7, -1, "CREATE_TIME", None, None)


def test_an_event_of_a_self_managed_cluster() -> None:
    assert event_of([RECORD], Origin("b:9092")) == {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": "b:9092",
        "records": {
            "shop-2": [
                {
                    "topic": "shop",
                    "partition": 2,
                    "offset": 41,
                    "timestamp": 1_795_885_201_250,
                    "timestampType": "CREATE_TIME",
                    "key": "aw==",
                    "value": "dg==",
                    "headers": [{"id": [127, -128]}],
                }
            ]
        },
    }


def test_an_event_of_a_cluster_in_msk_with_a_tombstone() -> None:
    event = event_of([TOMBSTONE], Origin("b:9098", "arn:aws:kafka:x"))
    assert (event["eventSource"], event["eventSourceArn"]) == ("aws:kafka", "arn:aws:kafka:x")
    [record] = event["records"]["shop-0"]
    assert not {"key", "value"} & record.keys()


def test_a_report_names_partition_and_offset() -> None:
    answer = {"batchItemFailures": [{"itemIdentifier": {"partition": "shop-2", "offset": 41}}]}
    assert failed_of(answer, [TOMBSTONE, RECORD]) == [RECORD]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": []}])
def test_an_empty_report_is_a_success(answer: Any) -> None:
    assert failed_of(answer, [RECORD]) == ()


@pytest.mark.parametrize(
    "answer",
    [
        "what",
        {"batchItemFailures": [{}]},
        {"batchItemFailures": [{"itemIdentifier": "41"}]},
        {"batchItemFailures": [{"itemIdentifier": {"partition": "shop-2", "offset": 99}}]},
    ],
)
def test_a_report_that_cannot_be_read_fails_the_batch(answer: Any) -> None:
    assert failed_of(answer, [TOMBSTONE, RECORD]) == [TOMBSTONE, RECORD]


def test_the_message_about_lost_records_names_offsets_and_has_no_content() -> None:
    discard = Discard([RECORD], Condition.RETRIES_EXHAUSTED, 4)
    body = message(discard, Origin("b:9092"), "arn:aws:lambda:f", 1_795_885_300.0)
    assert body["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert body["requestContext"]["approximateInvokeCount"] == 4
    assert body["KafkaBatchInfo"]["recordsInfo"] == {
        "shop-2": {
            "firstRecordOffset": "41",
            "lastRecordOffset": "41",
            "firstRecordTimestamp": "2026-11-28T17:00:01.250Z",
            "lastRecordTimestamp": "2026-11-28T17:00:01.250Z",
        }
    }


def test_scram_signs_in_over_tls() -> None:
    secret = '{"username": "shop", "password": "p"}'
    settings = connection("b:9096", "SASL_SCRAM_512_AUTH", secret)
    assert settings["security.protocol"] == "sasl_ssl"
    assert settings["sasl.mechanism"] == "SCRAM-SHA-512"


@pytest.mark.parametrize("secret", ["p@ss", "[]", '{"username": "shop"}'])
def test_a_secret_without_what_it_takes_is_refused_without_its_content(secret: str) -> None:
    with pytest.raises(InvalidSecret) as refusal:
        connection("b:9096", "BASIC_AUTH", secret)
    assert str(refusal.value) == "the secret must be a JSON object with username and password"


ENVIRONMENT = {
    "BOOTSTRAP_SERVERS": "b:9092",
    "TOPICS": "shop, other",
    "GROUP_ID": "g",
    "FUNCTION_NAME": "f",
}


def test_the_environment_is_read() -> None:
    process = Process.from_env(ENVIRONMENT)
    assert process.subscription.topics == ["shop", "other"]
    assert (process.starts_at_end, process.settings.batch_size) == (False, 1_000)


@pytest.mark.parametrize(
    ("name", "value", "mistake"),
    [
        ("TOPICS", "", "TOPICS is missing"),
        ("TOPICS", "a,,b", "TOPICS is a,,b; expected different topics separated by commas"),
        ("TOPICS", "a,a", "TOPICS is a,a; expected different topics"),
        ("BATCH_SIZE", "many", "BATCH_SIZE is many; expected an integer of at least 1"),
        ("STARTING_POSITION", "END", "STARTING_POSITION is END; expected TRIM_HORIZON or LATEST"),
    ],
)
def test_a_setting_that_is_not_valid_is_named(name: str, value: str, mistake: str) -> None:
    with pytest.raises(InvalidSetting, match=mistake):
        Process.from_env(ENVIRONMENT | {name: value})
