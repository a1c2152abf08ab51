"""What is told of a connection, in place of what librdkafka tells."""

import logging

import pytest
from confluent_kafka import KafkaError

from function_consumer.problem import Problem, client_log

DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")
REFUSED = KafkaError(
    KafkaError._TRANSPORT, "broker:9096: Connection refused (after 0ms in state CONNECT)"
)


def wrong_password(milliseconds: int) -> KafkaError:
    return KafkaError(
        KafkaError._AUTHENTICATION,
        f"broker:9096: Invalid username or password (after {milliseconds}ms in state AUTH_REQ)",
    )


def told(*errors: KafkaError) -> list[str]:
    """What is told after each error."""
    problem, texts = Problem(), []
    for error in errors:
        problem.note(error)
        texts.append(problem.text)
    return texts


def test_every_attempt_with_a_wrong_password_is_the_same_problem() -> None:
    expected = "broker:9096: Invalid username or password"
    assert told(wrong_password(301), DOWN, wrong_password(302)) == [expected] * 3


def test_a_reason_takes_the_place_of_none() -> None:
    assert told(DOWN, wrong_password(301))[-1] == "broker:9096: Invalid username or password"


def test_brokers_that_are_down_are_told_with_the_last_reason() -> None:
    assert told(REFUSED, DOWN) == ["", "1/1 brokers are down: broker:9096: Connection refused"]


def test_brokers_that_give_no_reason_may_expect_another_kind_of_connection() -> None:
    [text] = told(DOWN)
    assert text.startswith("1/1 brokers are down: they end every connection without a reason")


def test_attempts_to_connect_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        client_log.error("FAIL [rdkafka#consumer-1] broker:9096: Invalid username or password")
        client_log.warning("MAXPOLL [rdkafka#consumer-1] Application maximum poll interval")
    assert [record.levelname for record in caplog.records] == ["WARNING"]
