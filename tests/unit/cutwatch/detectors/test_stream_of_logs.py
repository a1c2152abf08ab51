"""Entries of `streams:` for log records: the log, the model, and its trained version."""

from dataclasses import replace
from typing import Any

import pytest
import yaml

from cutwatch.detectors.detectors_file import parse_configuration
from cutwatch.detectors.log_format import LOG_COLUMNS
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidDetectors
from cutwatch.streams.buckets import bucket_count

LOG = {"time": "at", "path": "path", "status": "status", "key": "service"}
SHOP: dict[str, Any] = {"name": "shop", "source": "kafka:shop-access", "log": LOG}
ENDPOINT = "random_cut_forest_endpoint"
WINDOW = {"type": "tumbling", "size": 60, "statistics": ["count", "mean(response_time)"]}


def stream_of(**changes: Any) -> Stream:
    text = yaml.safe_dump({"streams": [SHOP | changes]})
    [stream] = parse_configuration(text).streams
    return stream


def test_a_log_has_the_columns_of_its_features() -> None:
    stream = stream_of()
    assert stream.columns == LOG_COLUMNS
    assert stream.model == "random_cut_forest"
    assert stream.needs_training
    assert stream.record.key


def test_several_topics_are_those_of_the_stack_in_any_order() -> None:
    stream = stream_of(source="kafka:shop-access,shop-api")
    assert stream.is_of_kafka
    assert stream.is_read_from("kafka:shop-api,shop-access")
    assert not stream.is_read_from("kafka:shop-access")
    assert not stream.is_read_from("arn:aws:kinesis:eu-west-1:123456789012:stream/shop-access")


def test_topics_are_added_to_a_stream_without_another_state() -> None:
    assert stream_of(source="kafka:a,b").fingerprint == stream_of(source="kafka:a").fingerprint


def test_a_log_may_have_windows_of_its_features() -> None:
    stream = stream_of(model="harmonic_regression", window=WINDOW)
    assert stream.columns == ("count", "mean(response_time)")


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"log": LOG | {"tme": "at"}}, "log.tme: is not a field; the fields are format, key, time"),
        ({"log": LOG | {"time": ""}}, "log.time: is missing; expected the place of the event time"),
        ({"log": LOG | {"format": "syslog"}}, "log.format: 'syslog' is not allowed; expected"),
        ({"record": {"time": "at", "values": {"x": "x"}}}, "log: a stream has either record or log"),
        ({"log": None}, "record: is missing; or, for log records, log"),
        ({"model": "sarima"}, "model: 'sarima' is not allowed; expected 'random_cut_forest'"),
        ({"model": "harmonic_regression"}, "model: harmonic_regression needs rows in even steps"),
        ({"model": "one_class_svm", "forest": {"trees": 50}}, "forest: belongs to model: random_cut_forest"),
        ({"model_version": "newest"}, "model_version: 'newest' is not the digest that `cutwatch train` prints"),
        ({"model": ENDPOINT, "window": WINDOW}, "window: random_cut_forest_endpoint scores single records"),
        ({"model": ENDPOINT, "source": "shop-log"}, "model: random_cut_forest_endpoint scores log records of a Kafka topic"),
        ({"model": ENDPOINT, "model_version": "0f3c5a7b9d12"}, "model_version: is of no use: the endpoint decides which model scores the records"),
        ({"model": ENDPOINT, "forest": {"trees": 50}}, "forest: belongs to model: random_cut_forest"),
        ({"source": "kafka:shop access"}, "source: 'kafka:shop access' does not name Kafka topics"),
        ({"source": "kafka:a, b"}, "source: 'kafka:a, b' does not name Kafka topics; expected one such as kafka:orders, or up to 3"),
        ({"source": "kafka:a,b,a"}, "source: 'kafka:a,b,a' names a topic twice"),
        ({"source": "kafka:a,b,c,d"}, "source: 'kafka:a,b,c,d' has 4 topics, at most 3 are read by a stack"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_field_and_what_would_be_right(
    changes: dict[str, Any], mistake: str
) -> None:
    with pytest.raises(InvalidDetectors) as refused:
        stream_of(**changes)
    assert f"stream 'shop': {mistake}" in str(refused.value)


def test_keys_of_an_endpoint_share_a_bucket_for_they_have_no_forest() -> None:
    assert bucket_count(stream_of(model=ENDPOINT)) == 1 < bucket_count(stream_of())


def test_a_version_is_of_no_use_to_a_forest_of_plain_records() -> None:
    plain = {"log": None, "record": {"time": "at", "values": {"x": "x"}}}
    plain = {name: value for name, value in plain.items() if value is not None}
    entry = {name: value for name, value in SHOP.items() if name != "log"} | plain
    text = yaml.safe_dump({"streams": [entry | {"model_version": "0f3c5a7b9d12"}]})
    with pytest.raises(InvalidDetectors, match="model_version: is of no use"):
        parse_configuration(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "one_class_svm"},
        {"model_version": "0f3c5a7b9d12"},
        {"log": LOG | {"path": "url"}},
        {"time_zone": "Europe/Berlin"},
    ],
)
def test_states_begin_again_with_another_model_or_log(changes: dict[str, Any]) -> None:
    assert stream_of(**changes).fingerprint != stream_of().fingerprint


def test_a_copy_of_a_stream_of_logs_is_valid() -> None:
    assert replace(stream_of(), sensitivity="high").fingerprint == stream_of().fingerprint


def test_avro_is_refused_in_one_sentence() -> None:
    sentence = (
        "'avro' is not read, nor are schema registries; have records written as JSON or as lines"
    )
    with pytest.raises(InvalidDetectors, match=sentence):
        stream_of(log=LOG | {"format": "avro"})
