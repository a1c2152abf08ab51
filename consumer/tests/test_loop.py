"""The loop's commits, with a consumer that answers on demand."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from function_consumer import loop as module
from function_consumer.loop import Loop, Subscription
from function_consumer.queue import Settings
from function_consumer.records import Origin, Partition, Record

PLACE = Partition("log", 0)


class FakeConsumer:
    """A member whose commits are answered when the test says so."""

    def __init__(self, settings: dict[str, Any], **_: Any) -> None:
        self.on_commit = settings["on_commit"]
        self.asked: list[tuple[int, bool]] = []

    def subscribe(self, *_: Any, **__: Any) -> None:
        pass

    def consume(self, *_: Any, **__: Any) -> list[Any]:
        return []

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> None:
        self.asked += [(each.offset, asynchronous) for each in offsets]

    def committed(self, *_: Any, **__: Any) -> list[TopicPartition]:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    """Return a loop that has delivered one record, at offset 4."""
    monkeypatch.setattr(module, "Consumer", FakeConsumer)
    made = Loop(
        Subscription(["log"], "group", {}),
        Settings(batching_seconds=0),
        Origin("broker", None),
        lambda _: None,
        lambda _: None,
        lambda: 100.0,
    )
    made.queue.offer([Record(PLACE, 4, 99_000, "CREATE_TIME", None, b"x", ())], 100.0)
    made.step(0)
    return made


def consumer(loop: Loop) -> Any:
    return loop._consumer


def test_a_commit_does_not_wait_for_the_group(loop: Loop) -> None:
    assert consumer(loop).asked == [(5, True)]


def test_a_commit_is_asked_for_once(loop: Loop) -> None:
    consumer(loop).on_commit(None, [TopicPartition("log", 0, 5)])
    loop.step(0)
    loop.commit()
    assert consumer(loop).asked == [(5, True)]


def test_what_a_rebalance_kept_from_being_committed_is_asked_for_again(loop: Loop) -> None:
    error = KafkaError(KafkaError.REBALANCE_IN_PROGRESS)
    consumer(loop).on_commit(error, [TopicPartition("log", 0, 5)])
    loop.step(0)
    assert consumer(loop).asked == [(5, True)] * 2


def test_a_partition_that_went_to_another_member_is_not_committed_again(loop: Loop) -> None:
    loop._revoked(consumer(loop), [TopicPartition("log", 0)])
    error = KafkaError(KafkaError.ILLEGAL_GENERATION)
    consumer(loop).on_commit(error, [TopicPartition("log", 0, 5)])
    loop.step(0)
    assert consumer(loop).asked == [(5, True)]


def test_a_group_that_does_not_answer_has_read_nothing(loop: Loop) -> None:
    assert not loop.has_read(Partition("log", 1), 3)
