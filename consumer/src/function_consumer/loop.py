"""The loop: read, invoke, commit. One loop is one member of a consumer group."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from function_consumer.problem import Problem, client_log
from function_consumer.queue import Discard, Queue, Settings
from function_consumer.records import Origin, Partition, event_of, failed_of, record_of

_log = logging.getLogger(__name__)
_MOST_READ = 1_000
# The coordinator answers nothing else while a member waits to join its group.
_SECONDS = 1.0
# More than a function runs and a pause between retries takes: the group must not take the partitions away meanwhile.
_MAX_POLL_MILLISECONDS = 3_600_000


class NotInvoked(Exception):
    """The function was not invoked: throttled, or out of reach. This costs no attempt."""


class FunctionFailed(Exception):
    """The function failed, or did not end in time."""


@dataclass(frozen=True)
class Subscription:
    """What is read, with librdkafka's settings. A partition without a committed offset is read from its oldest record."""

    topics: Sequence[str]
    group: str
    connection: Mapping[str, Any]


class Loop:
    """`invoke` returns the function's answer, or raises `NotInvoked` or `FunctionFailed`; `give_up` takes what is lost.

    `problem.text` says why records cannot be read. A record is committed after its invocation succeeded, or
    after it was given up; whatever happens before that, it comes again.
    """

    def __init__(
        self,
        subscription: Subscription,
        settings: Settings,
        origin: Origin,
        invoke: Callable[[dict[str, Any]], Any],
        give_up: Callable[[Discard], None],
        now: Callable[[], float],
    ) -> None:
        self.problem = Problem()
        self.queue = Queue(settings)
        self._subscription = subscription
        self._origin = origin
        self._invoke = invoke
        self._give_up = give_up
        self._now = now
        self._committed: dict[Partition, int] = {}
        self._commits_again = False
        self._paused = False
        self._consumer = Consumer(
            {
                "group.id": subscription.group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
                "partition.assignment.strategy": "cooperative-sticky",
                "max.poll.interval.ms": _MAX_POLL_MILLISECONDS,
                "topic.metadata.refresh.interval.ms": 10_000,
                **subscription.connection,
                "error_cb": self.problem.note,
                "on_commit": self._on_commit,
            },
            logger=client_log,
        )
        self._consumer.subscribe(
            [*subscription.topics],
            on_assign=self._assigned,
            on_revoke=self._revoked,
            on_lost=self._lost,
        )

    def step(self, wait_seconds: float) -> bool:
        """Read, waiting at most this long, and deliver the batch that is ready; return True if there was anything."""
        found = self._read(wait_seconds)
        if self._commits_again:
            self.commit()
        if self.queue.take(self._now()) is None:
            return found
        if (old := self.queue.too_old(self._now())) is not None:
            self._give_up(old)
        self._deliver()
        self.commit()
        return True

    def due(self) -> float | None:
        """Return when the next batch is ready, in epoch seconds; None if no record waits."""
        return self.queue.due(self._now())

    def assigned(self) -> frozenset[Partition]:
        """Return the partitions that this member reads."""
        return frozenset(_partition(each) for each in self._consumer.assignment())

    def has_read(self, partition: Partition, end: int) -> bool:
        """Return True if this member has read its partition up to an offset, or the group has before."""
        if (read := self.queue.next_offset(partition)) is not None:
            return read >= end
        place = TopicPartition(*partition)
        try:
            [committed] = self._consumer.committed([place], timeout=_SECONDS)
        except KafkaException:
            return False
        return end == 0 or int(committed.offset) >= end

    def commit(self) -> None:
        """Ask the group to commit what is done. What cannot be committed is asked for again, or comes again at another member.

        Nothing waits for the answer: it comes behind that to the member's request to join, which the coordinator holds until all
        members have joined, and others may be waiting for this thread.
        """
        self._commits_again = False
        new = {
            partition: offset
            for partition, offset in self.queue.done().items()
            if self._committed.get(partition) != offset
        }
        if not new:
            return
        offsets = [TopicPartition(*partition, offset) for partition, offset in new.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=True)
        except KafkaException as error:
            _log.warning("offsets could not be committed: %s", error)
        else:
            self._committed |= new

    def _on_commit(self, error: KafkaError | None, places: list[TopicPartition]) -> None:
        """Forget what was not committed, so that it is asked for again."""
        for each in places:
            if (reason := error or each.error) is None:
                continue
            _log.warning("offset %d could not be committed: %s", each.offset, reason)
            if self._committed.get(_partition(each)) == each.offset:
                del self._committed[_partition(each)]
                self._commits_again = True

    def close(self) -> None:
        """Leave the group; records that are not done come again to another member."""
        self._consumer.close()

    def _read(self, wait_seconds: float) -> bool:
        self._let_it_read()
        messages = self._consumer.consume(_MOST_READ, timeout=wait_seconds)
        for each in messages:
            if (error := each.error()) is not None:
                self.problem.note(error)
        records = [record_of(each) for each in messages if each.error() is None]
        if records:
            self.problem.text = ""
            self.queue.offer(records, self._now())
        return bool(records)

    def _let_it_read(self) -> None:
        """Pause partitions while enough waits; the group's protocol goes on."""
        if self.queue.is_full == self._paused:
            return
        self._paused = self.queue.is_full
        partitions = self._consumer.assignment()
        if self._paused:
            self._consumer.pause(partitions)
        else:
            self._consumer.resume(partitions)

    def _deliver(self) -> None:
        records = self.queue.out
        if not records:
            self.queue.settle((), self._now())
            return
        discard = None
        try:
            answer = self._invoke(event_of(records, self._origin))
        except NotInvoked as error:
            _log.warning("the function was not invoked: %s", error)
            self.queue.not_invoked(self._now())
        except FunctionFailed as error:
            _log.warning("the function failed: %s", error)
            discard = self.queue.settle(None, self._now())
        else:
            reports = self.queue.settings.reports_failures
            failed = failed_of(answer, records) if reports else ()
            discard = self.queue.settle(failed, self._now())
        if discard is not None:
            self._give_up(discard)

    def _assigned(self, _: Consumer, __: list[TopicPartition]) -> None:
        """Pause the new partitions too, at the next turn, if enough waits."""
        self._paused = False

    def _revoked(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        self.commit()
        self._lost(_, partitions)

    def _lost(self, _: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {_partition(each) for each in partitions}
        self.queue.drop(gone)
        self._committed = {
            partition: offset
            for partition, offset in self._committed.items()
            if partition not in gone
        }


def _partition(each: TopicPartition) -> Partition:
    return Partition(each.topic, each.partition)
