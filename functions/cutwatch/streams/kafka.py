"""Kafka: from a Lambda event of an MSK or self-managed mapping to records, and from failed records to its partial response."""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from heapq import merge
from typing import Any

from cutwatch.errors import InvalidInput
from cutwatch.streams.record import RawRecord

SOURCES = ("aws:kafka", "SelfManagedKafka")
_MILLISECONDS = 1_000
_BYTE = 256


def records_of(event: Any, now: float) -> list[RawRecord]:
    """Return the records of an event of a mapping. Raises `InvalidInput` if it is not one.

    Partitions are merged by time, each in the order of its offsets: a key on several partitions would otherwise have late records. A lane is a topic's partition, a position its offset. `now` in epoch seconds is the arrival of records without a timestamp.
    """
    try:
        lanes = [
            sorted(
                (_record(lane, record, now) for record in records), key=lambda each: each.position
            )
            for lane, records in _partitions(event)
        ]
        return [*merge(*lanes, key=lambda each: each.arrival)]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"not an event of a Kafka event source mapping ({error!r}); see events/score_kafka.json"
        ) from None


def _partitions(event: Any) -> Iterable[tuple[str, Any]]:
    if event["eventSource"] not in SOURCES:
        raise ValueError(event["eventSource"])
    partitions: Mapping[str, Any] = event["records"]
    return partitions.items()


def topic_of(lane: str) -> str:
    """Return the topic of a lane, which is a topic, a hyphen and the number of a partition."""
    return lane.rpartition("-")[0]


def _record(lane: str, record: Mapping[str, Any], now: float) -> RawRecord:
    timestamp = record.get("timestamp", -1)
    return RawRecord(
        # A tombstone has no value.
        b64decode(record.get("value") or ""),
        lane,
        int(record["offset"]),
        timestamp / _MILLISECONDS if timestamp >= 0 else now,
        b64decode(record.get("key") or "").decode(errors="replace"),
        tuple(
            (name, _text(value))
            for header in record.get("headers") or ()
            for name, value in header.items()
        ),
    )


def _text(value: Sequence[int]) -> str:
    """Return a header's value, whose bytes Java's JSON has as signed numbers."""
    return bytes(each % _BYTE for each in value).decode(errors="replace")


def partial_response(records: Sequence[RawRecord], failed: Sequence[RawRecord]) -> dict[str, Any]:
    """Return the answer to the mapping: the first failed record of each partition and all after it.

    Kafka's mapping sends again the records that are named, and no others: without the later ones, a partition would lose its order.
    """
    first: dict[str, int] = {}
    for each in failed:
        first[each.lane] = min(each.position, first.get(each.lane, each.position))
    return {
        "batchItemFailures": [
            {"itemIdentifier": {"partition": each.lane, "offset": each.position}}
            for each in records
            if each.lane in first and each.position >= first[each.lane]
        ]
    }
