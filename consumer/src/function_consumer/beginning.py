"""Where a new consumer group begins: fixed by committing offsets once, so that partitions added later lose no record."""

from collections.abc import Iterable, Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from function_consumer.loop import Subscription
from function_consumer.problem import Problem, client_log

_SECONDS = 30.0


class NoBeginning(Exception):
    """The offsets to begin at could not be committed; the message says why."""


def begin(subscription: Subscription, moment: float | None = None) -> None:
    """Let a group that has committed nothing begin at a time (epoch seconds), or at the end of every partition.

    Raises `NoBeginning` if the brokers cannot be reached, or the topic is not there.
    """
    problem = Problem()
    settings = {
        "group.id": subscription.group,
        "enable.auto.commit": False,
        "error_cb": problem.note,
    }
    consumer = Consumer({**settings, **subscription.connection}, logger=client_log)
    try:
        partitions = [*_partitions(consumer, subscription.topics)]
        committed = consumer.committed(partitions, timeout=_SECONDS)
        if any(each.offset >= 0 for each in committed):
            return
        consumer.commit(offsets=_offsets(consumer, partitions, moment), asynchronous=False)
    except KafkaException as error:
        consumer.poll(0)  # calls error_cb with the reason
        raise NoBeginning(problem.text or error.args[0].str()) from error
    finally:
        consumer.close()


def _partitions(consumer: Consumer, topics: Iterable[str]) -> Iterable[TopicPartition]:
    for topic in topics:
        metadata = consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        yield from (TopicPartition(topic, number) for number in metadata.partitions)


def _offsets(
    consumer: Consumer, partitions: Sequence[TopicPartition], moment: float | None
) -> list[TopicPartition]:
    """Return the partitions with the offsets to begin at; that of a time after the newest record is the end."""
    ends = [
        TopicPartition(*_name(each), consumer.get_watermark_offsets(each, timeout=_SECONDS)[1])
        for each in partitions
    ]
    if moment is None:
        return ends
    wanted = [TopicPartition(*_name(each), int(moment * 1_000)) for each in partitions]
    found = consumer.offsets_for_times(wanted, timeout=_SECONDS)
    return [each if each.offset >= 0 else end for each, end in zip(found, ends, strict=True)]


def _name(each: TopicPartition) -> tuple[str, int]:
    return each.topic, each.partition
