"""One Kafka mapping at work: the loops of the consumer distribution, one for each event poller."""

from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka import KafkaException

from function_consumer.loop import Loop
from function_consumer.queue import Discard
from function_consumer.records import Partition
from localaws.event_sources import kafka_requests
from localaws.event_sources.kafka_ends import TopicEnds
from localaws.event_sources.kafka_openings import KafkaOpening

_SECONDS_TO_READ = 0.02
# Turns without a record until a group that does not get all partitions is left to the next delivery: about a minute.
_MOST_IDLE_TURNS = 3_000
Invoke = Callable[[dict[str, Any]], Any]
GiveUp = Callable[[Discard], None]


class KafkaMapping:
    """Pollers join the group at the first delivery; there are more while a topic has more partitions."""

    def __init__(
        self,
        record: dict[str, Any],
        opening: KafkaOpening,
        invoke: Invoke,
        give_up: GiveUp,
        now: Callable[[], float],
    ) -> None:
        self.record = record
        self.opening = opening
        self._invoke = invoke
        self._give_up = give_up
        self._now = now
        self._ends = TopicEnds(opening.subscription)
        self._loops: list[Loop] = []

    def deliver(self) -> bool:
        """Read up to the present end of every partition, and deliver what is ready; return whether there was anything."""
        try:
            self._scale(1)
            ends = self._ends.read()
        except KafkaException as error:
            self.record["LastProcessingResult"] = f"PROBLEM: {error.args[0].str()}"
            return False
        self._scale(kafka_requests.pollers(self.record, len(ends)))
        found, idle = False, 0
        while idle < _MOST_IDLE_TURNS:
            progress = sum(loop.step(_SECONDS_TO_READ) for loop in self._loops) > 0
            idle = 0 if progress else idle + 1
            found = found or progress
            if not progress and self._has_read(ends):
                break
        self._note(complete=idle < _MOST_IDLE_TURNS)
        return found

    def lag(self) -> int | None:
        """Return the offsets from the first record that is not done to the end, over all partitions.

        None before the first delivery, and while no broker answers.
        """
        done: dict[Partition, int] = {}
        for loop in self._loops:
            done |= loop.queue.done()
        try:
            ends = self._ends.read() if self._loops else None
        except KafkaException:
            return None
        if ends is None:
            return None
        return sum(max(ends[partition] - offset, 0) for partition, offset in done.items())

    def due(self) -> float | None:
        """Return when the next batch is ready, in epoch seconds; None if no record waits."""
        times = (loop.due() for loop in self._loops)
        return min((time for time in times if time is not None), default=None)

    def change(self) -> None:
        """Go on with what the record says now."""
        for loop in self._loops:
            loop.queue.settings = kafka_requests.settings_of(self.record)

    def close(self) -> None:
        """Leave the group, for good."""
        self.rejoin()
        self._ends.close()

    def rejoin(self) -> None:
        """Leave the group and join it again with the next delivery, as event pollers do that are replaced."""
        for loop in self._loops:
            loop.close()
        self._loops = []

    def _problem(self) -> str:
        return next((loop.problem.text for loop in self._loops if loop.problem.text), "")

    def _note(self, *, complete: bool) -> None:
        """Say how it went; errors of the past, such as brokers that were down, do not count once everything is read."""
        problem = "" if complete else self._problem() or "not all partitions could be read"
        self.record["LastProcessingResult"] = f"PROBLEM: {problem}" if problem else "OK"
        for loop in self._loops:
            loop.problem.text = ""

    def _has_read(self, ends: Mapping[Partition, int]) -> bool:
        """Return whether each partition's records have all been read by the member that has it."""
        readers = {partition: loop for loop in self._loops for partition in loop.assigned()}
        return all(
            partition in readers and readers[partition].has_read(partition, end)
            for partition, end in ends.items()
        )

    def _scale(self, pollers: int) -> None:
        while len(self._loops) < pollers:
            self._loops.append(
                Loop(
                    self.opening.subscription,
                    kafka_requests.settings_of(self.record),
                    self.opening.origin,
                    self._invoke,
                    self._give_up,
                    self._now,
                )
            )
