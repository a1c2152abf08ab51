"""Records of a topic, and the event that a function gets of them."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

_TIMESTAMP_TYPES = {1: "CREATE_TIME", 2: "LOG_APPEND_TIME"}
_SIGN = 128


class Partition(NamedTuple):
    """A topic's partition."""

    topic: str
    number: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.number}"


@dataclass(frozen=True, slots=True)
class Record:
    """A record. `time` is in milliseconds since 1970, -1 for none; a tombstone has no value."""

    partition: Partition
    offset: int
    time: int
    time_type: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]] = ()

    @property
    def size(self) -> int:
        """Return about as many bytes as the record takes in an event."""
        content = sum(len(name) + 5 * len(value or b"") for name, value in self.headers)
        return 200 + content + (len(self.key or b"") + len(self.value or b"")) * 4 // 3


@dataclass(frozen=True)
class Origin:
    """The cluster of an event: `arn` of one in Amazon MSK, None for a self-managed one."""

    bootstrap_servers: str
    arn: str | None = None


def record_of(message: Any) -> Record:
    """Return a message of confluent-kafka as a record."""
    kind, time = message.timestamp()
    return Record(
        Partition(message.topic(), message.partition()),
        message.offset(),
        time if kind in _TIMESTAMP_TYPES else -1,
        _TIMESTAMP_TYPES.get(kind, "CREATE_TIME"),
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
    )


def event_of(records: Iterable[Record], origin: Origin) -> dict[str, Any]:
    """Return the event with the records by partition, each partition in the order of its offsets."""
    partitions: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        partitions.setdefault(str(each.partition), []).append(_described(each))
    source = {"eventSource": "SelfManagedKafka"}
    if origin.arn is not None:
        source = {"eventSource": "aws:kafka", "eventSourceArn": origin.arn}
    return {**source, "bootstrapServers": origin.bootstrap_servers, "records": partitions}


def _described(record: Record) -> dict[str, Any]:
    optional = {"key": record.key, "value": record.value}
    return {
        "topic": record.partition.topic,
        "partition": record.partition.number,
        "offset": record.offset,
        "timestamp": record.time,
        "timestampType": record.time_type,
        **{
            name: base64.b64encode(content).decode()
            for name, content in optional.items()
            if content is not None
        },
        "headers": [{name: _signed(value or b"")} for name, value in record.headers],
    }


def _signed(value: bytes) -> list[int]:
    """Return bytes as Java has them, from -128 to 127."""
    return [(each + _SIGN) % (2 * _SIGN) - _SIGN for each in value]


def failed_of(answer: Any, records: Sequence[Record]) -> Sequence[Record]:
    """Return the records that the function reports as failed.

    All of them if the report cannot be read, or names a record that is not in the batch.
    """
    if not answer:
        return ()
    failures = answer.get("batchItemFailures") if isinstance(answer, Mapping) else [answer]
    if not failures:
        return ()
    try:
        names = {_named(failure["itemIdentifier"]) for failure in failures}
    except (AttributeError, KeyError, TypeError, ValueError):
        return records
    failed = [each for each in records if (str(each.partition), each.offset) in names]
    return failed if len(failed) == len(names) else records


def _named(identifier: Mapping[str, Any]) -> tuple[str, int]:
    return str(identifier["partition"]), int(identifier["offset"])
