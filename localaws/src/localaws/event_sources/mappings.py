"""All event source mappings of streams: deliver what there is, on the clock, and faults of delivery on demand."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.clock import Clock
from localaws.event_sources import destinations
from localaws.event_sources.batches import Batch, Condition, Discard, Outcome, Result
from localaws.event_sources.invocations import Invocations, event_of
from localaws.event_sources.lanes import Turn
from localaws.event_sources.mapping_metrics import MappingMetrics, RecordMetric
from localaws.event_sources.requests import destination_of
from localaws.event_sources.source_mapping import Opening, SourceMapping

if TYPE_CHECKING:
    from localaws.event_sources.kafka_mapping import KafkaMapping

_log = logging.getLogger(__name__)
_Record = dict[str, Any]


class EventSourceMappings:
    """Mappings deliver on request, or automatically while `polling` drives them.

    `concurrency` is how many batches of different lanes are delivered at once. With 1 everything happens in one order.
    """

    def __init__(
        self,
        clock: Clock,
        invocations: Invocations,
        endpoint_url: Callable[[], str],
        record_metric: RecordMetric,
    ) -> None:
        self.concurrency = 1
        self._clock = clock
        self._invocations = invocations
        self.endpoint_url = endpoint_url
        self._record_metric = record_metric
        self.metrics = MappingMetrics(record_metric)
        self._delivering = threading.RLock()
        self._mappings: dict[str, SourceMapping] = {}
        self.kafka: dict[str, KafkaMapping] = {}
        self._twice = 0

    def open(self, record: _Record, opening: Opening) -> None:
        """Take up a mapping; `record` is its public description and stays the caller's."""
        mapping = SourceMapping(record, opening, self.metrics)
        self._mappings = {**self._mappings, record["UUID"]: mapping}

    def change(self, uuid: str) -> None:
        """Go on with what the mapping's record says now."""
        if uuid in self.kafka:
            self.kafka[uuid].change()
        else:
            self._mappings[uuid].changed = True

    def close(self, uuid: str) -> None:
        self._mappings = {key: each for key, each in self._mappings.items() if key != uuid}
        if uuid in self.kafka:
            with self._delivering:
                self.kafka.pop(uuid).close()

    def stop(self) -> None:
        """Let the members of every consumer group leave."""
        for uuid in [*self.kafka]:
            self.close(uuid)

    def written(self, arn: str) -> None:
        """Look into a source again, because there are new records, also while batches are delivered."""
        for mapping in self._mappings.values():
            if mapping.source.arn == arn:
                mapping.reader.has_news = True

    def deliver(self) -> None:
        """Deliver every batch that is ready now, and what becomes ready by that; the clock stays where it is."""
        with self._delivering, self._clock.busy():
            for mapping in self._enabled():
                mapping.reader.begin()
            while sum(self._step(mapping) for mapping in self._enabled()):
                pass
            for each in self._enabled_kafka():
                each.deliver()
                self._count_waiting(each)

    def due(self) -> float | None:
        """Return when the next batch will be ready, in epoch seconds; None while there is none to wait for."""
        now = self._now()
        times = [time for each in self._enabled() if (time := each.due(now)) is not None]
        times += [time for each in self._enabled_kafka() if (time := each.due()) is not None]
        return min(times, default=None)

    def settle(self, limit_seconds: float = 7 * 86_400.0) -> None:
        """Deliver and let time pass, until all records are delivered or given up, or `limit_seconds` have passed."""
        deadline = self._now() + limit_seconds
        with self._delivering, self._clock.busy():
            self.deliver()
            while (due := self.due()) is not None and due <= deadline:
                self._clock.sleep(max(due - self._now(), 0.001))
                self.deliver()

    def duplicate(self, times: int = 1) -> None:
        """Let two environments work at once on each of the next `times` batches."""
        self._twice += times

    def redeliver(self, last: int, *, function: str = "*") -> None:
        """Deliver the last records of each lane again, `last` at most, and at most 2,000, in batches with what follows.

        What is being retried is queued again, as by a reader that has lost its place.
        """
        for mapping in self._mappings.values():
            if function in ("*", mapping.function):
                mapping.rewind = last

    def _enabled(self) -> list[SourceMapping]:
        return [each for each in self._mappings.values() if each.record["State"] == "Enabled"]

    def _enabled_kafka(self) -> "list[KafkaMapping]":
        return [each for each in [*self.kafka.values()] if each.record["State"] == "Enabled"]

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _step(self, mapping: SourceMapping) -> bool:
        now = self._now()
        mapping.apply_changes(now)
        progress = mapping.reader.step(mapping.wants, now)
        if mapping.reader.problem:
            mapping.record["LastProcessingResult"] = f"PROBLEM: {mapping.reader.problem}"
        old = mapping.lanes.discard_old(now, mapping.reader.retention_seconds)
        for lane, discard in old:
            self._give_up(mapping, lane, discard)
        turns = mapping.lanes.turns(now)
        for turn, outcome in zip(turns, self._outcomes_or_none(mapping, turns), strict=True):
            self._settle(mapping, turn, outcome)
        return progress or bool(old) or bool(turns)

    def _outcomes_or_none(self, mapping: SourceMapping, turns: list[Turn]) -> list[Outcome]:
        """Invoke for every turn; if that breaks off, none of them has been delivered."""
        try:
            return self._outcomes(mapping, turns)
        except BaseException:
            for turn in turns:
                mapping.lanes.settle(turn, Outcome(Result.NOT_INVOKED), self._now())
            raise

    def _outcomes(self, mapping: SourceMapping, turns: list[Turn]) -> list[Outcome]:
        if self.concurrency == 1 or len(turns) < 2:
            return [self._invoke(mapping, turn) for turn in turns]
        each_turn = [partial(self._invoke, mapping, turn) for turn in turns]
        return self._invocations.at_once(self.concurrency, each_turn)

    def _invoke(self, mapping: SourceMapping, turn: Turn) -> Outcome:
        event = event_of(turn.lane, mapping.source.arn, turn.batch)
        invoke = self._invocations.invoke
        if self._twice and turn.batch.records:
            self._twice -= 1
            invoke = self._invocations.invoke_twice
        return invoke(mapping.function, event, turn.batch, mapping.settings)

    def _settle(self, mapping: SourceMapping, turn: Turn, outcome: Outcome) -> None:
        now = self._now()
        done = outcome.result is Result.DONE
        if turn.batch.records:
            self.metrics.invoked(mapping.record, len(turn.batch.records), failed=not done)
        mapping.record["LastProcessingResult"] = "OK" if done else "PROBLEM: Function call failed"
        if done and turn.batch.records:
            age = max(0.0, now - turn.batch.records[-1].arrived) * 1000
            self._count(mapping, "IteratorAge", age, "Milliseconds")
        for discard in mapping.lanes.settle(turn, outcome, now):
            self._give_up(mapping, turn.lane, discard)

    def _give_up(self, mapping: SourceMapping, lane: str, discard: Discard) -> None:
        record, source, count = mapping.record, mapping.source, len(discard.records)
        destination = destination_of(record)
        if not count:
            return
        if destination is None:
            too_old = discard.condition is Condition.TOO_OLD
            self.metrics.dropped(record, count, too_old=too_old)
            return
        arn = record["FunctionArn"]
        body = destinations.message(discard, lane, source, arn, self._now())
        event = event_of(lane, source.arn, Batch(discard.records))
        folder = f"{record['UUID']}/{lane}"
        try:
            url = self.endpoint_url()
            destinations.send(mapping.client, url, destination, body, event, folder)
        except (ClientError, BotoCoreError) as error:
            _log.warning("%s cannot send to %s: %s", arn, destination, error)
            self._count(mapping, "DestinationDeliveryFailures", 1.0, "Count")
            self.metrics.not_declared(record, count)
        else:
            self.metrics.declared(record, count)

    def _count(self, mapping: SourceMapping, name: str, value: float, unit: str) -> None:
        self._record(mapping.function.partition(":")[0], name, value, unit)

    def _count_waiting(self, mapping: "KafkaMapping") -> None:
        """Publish the lag after a delivery; brokers that do not answer leave a gap, as at AWS."""
        lag = mapping.lag()
        if lag is not None:
            self._record(mapping.record["FunctionName"], "OffsetLag", float(lag), "None")

    def _record(self, function: str, name: str, value: float, unit: str) -> None:
        self._record_metric("AWS/Lambda", name, value, unit, {"FunctionName": function})
