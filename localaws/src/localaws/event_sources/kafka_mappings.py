"""Kafka mappings: opened with their invocations, dead letters and metrics, and added to all mappings."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from function_consumer.failures import message
from function_consumer.loop import FunctionFailed, NotInvoked
from function_consumer.queue import Condition, Discard
from function_consumer.records import event_of
from localaws.event_sources import destinations, kafka_requests
from localaws.event_sources.invocations import Invocations
from localaws.event_sources.kafka_mapping import KafkaMapping
from localaws.event_sources.kafka_openings import KafkaOpening, KafkaOpenings
from localaws.event_sources.mappings import EventSourceMappings
from localaws.event_sources.requests import destination_of

_log = logging.getLogger(__name__)


class KafkaMappings:
    """`now` is the local AWS's clock in epoch seconds."""

    def __init__(
        self,
        mappings: EventSourceMappings,
        openings: KafkaOpenings,
        invocations: Invocations,
        now: Callable[[], float],
    ) -> None:
        self._mappings = mappings
        self._openings = openings
        self._invocations = invocations
        self._now = now

    def open(self, record: dict[str, Any], role: str) -> None:
        """Take up a mapping; `record` is its public description and stays the caller's."""
        kafka_requests.check(record)
        kafka_requests.check_group(record, [each.record for each in self._mappings.kafka.values()])
        opening = self._openings.open(record, role)

        def give_up(discard: Discard) -> None:
            self._give_up(record, opening, discard)

        self._mappings.kafka[record["UUID"]] = KafkaMapping(
            record, opening, lambda event: self._invoke(record, event), give_up, self._now
        )

    def check(self, record: Mapping[str, Any], role: str) -> None:
        """Refuse a change that would not be valid."""
        kafka_requests.check(record)
        self._openings.open(record, role)

    def _invoke(self, record: Mapping[str, Any], event: dict[str, Any]) -> Any:
        qualifier = record["Qualifier"]
        function = record["FunctionName"] + (f":{qualifier}" if qualifier else "")
        answer = self._invocations.answer(function, event)
        count = sum(map(len, event["records"].values()))
        failed = answer is None or bool(answer.get("throttle") or answer.get("error"))
        self._mappings.metrics.invoked(record, count, failed=failed)
        if answer is None or answer.get("throttle"):
            raise NotInvoked(f"{function} is throttled, or deleted")
        if answer.get("error"):
            raise FunctionFailed(function)
        body = answer.get("body")
        return json.loads(body) if isinstance(body, (str, bytes)) and body else body

    def _give_up(self, record: Mapping[str, Any], opening: KafkaOpening, discard: Discard) -> None:
        destination = destination_of(record)
        metrics, count = self._mappings.metrics, len(discard.records)
        if destination is None:
            metrics.dropped(record, count, too_old=discard.condition is Condition.TOO_OLD)
            return
        arn = record["FunctionArn"]
        body = message(discard, opening.origin, arn, self._now())
        try:
            url, event = self._mappings.endpoint_url(), event_of(discard.records, opening.origin)
            folder = f"{record['UUID']}/{discard.records[0].partition}"
            destinations.send(opening.client, url, destination, body, event, folder)
        except (ClientError, BotoCoreError) as error:
            _log.warning("%s cannot send to %s: %s", arn, destination, error)
            metrics.not_declared(record, count)
        else:
            metrics.declared(record, count)
