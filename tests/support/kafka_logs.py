"""A stream of log records from Kafka for tests: its declaration, its records, its trained models."""

import base64
import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from cutwatch.detectors.log_format import LogFormat
from cutwatch.detectors.stream import Stream
from cutwatch.features.log_event import LogEvent
from cutwatch.streams.log_training import Training, train_stream
from cutwatch.streams.record import RawRecord
from tests.support.log_events import ordinary_events

LOG = LogFormat(
    time="at",
    time_format="seconds",
    response_time="seconds",
    level="level",
    method="method",
    path="path",
    status="status",
)
STREAM = Stream("shop", "kafka:shop-access", log=LOG, model="one_class_svm")
LANE = "shop-access-0"


@cache
def a_training(count: int = 1_500, seed: int = 1) -> Training:
    """Return a training of ordinary records."""
    return train_stream(STREAM, ordinary_events(count, seed))


def log_line(event: LogEvent, **fields: Any) -> bytes:
    """Return an event as a line of the stream's log."""
    content = {
        "at": event.time,
        "seconds": event.response_time,
        "level": event.level,
        "method": event.method,
        "path": event.path,
        "status": event.status,
    }
    return json.dumps(content | fields).encode()


def raw_records(events: Iterable[LogEvent], first: int = 0) -> list[RawRecord]:
    """Return events as records of a partition, each with its event time as its arrival."""
    return [
        RawRecord(log_line(each), LANE, position, each.time)
        for position, each in enumerate(events, first)
    ]


def kafka_event(records: Iterable[RawRecord]) -> dict[str, Any]:
    """Return records as the event of a self-managed cluster's mapping."""
    partitions: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        partitions.setdefault(each.lane, []).append(
            {
                "topic": each.lane.rpartition("-")[0],
                "partition": int(each.lane.rpartition("-")[2]),
                "offset": each.position,
                "timestamp": int(1_000 * each.arrival),
                "timestampType": "CREATE_TIME",
                "value": base64.b64encode(each.data).decode(),
                "headers": [],
            }
        )
    return {"eventSource": "SelfManagedKafka", "bootstrapServers": "b:9092", "records": partitions}
