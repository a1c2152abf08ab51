"""The ends of a topic's partitions, asked over a connection of their own: that of a member of a group waits as long as its fetch does."""

import logging
from collections.abc import Mapping
from functools import cached_property

from confluent_kafka import Consumer, KafkaException, TopicPartition

from function_consumer.loop import Subscription
from function_consumer.records import Partition

_log = logging.getLogger(__name__)
_SECONDS = 30.0


class TopicEnds:
    """The ends of the topics of a subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    def read(self) -> Mapping[Partition, int]:
        """Return the offset after the newest record of every partition. Raises `KafkaException`."""
        found = {}
        for topic in self._subscription.topics:
            metadata = self._consumer.list_topics(topic, timeout=_SECONDS).topics[topic]
            if metadata.error is not None:
                raise KafkaException(metadata.error)
            for number in metadata.partitions:
                place = TopicPartition(topic, number)
                _, end = self._consumer.get_watermark_offsets(place, timeout=_SECONDS)
                found[Partition(topic, number)] = end
        return found

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    @cached_property
    def _consumer(self) -> Consumer:
        """A consumer that reads nothing, and so joins no group."""
        settings = {**self._subscription.connection, "group.id": self._subscription.group}
        return Consumer(settings, logger=_log)
