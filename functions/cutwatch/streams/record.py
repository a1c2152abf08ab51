"""A stream's records: as they arrive, decoded, and rejected."""

from enum import StrEnum
from typing import Any, NamedTuple

from cutwatch.features.log_event import LogEvent

# Between a lane and the number of a part of one of its records, which a preprocessor divided.
PART = "#"
# A record to decode: its bytes, or the fields that a preprocessor made of it.
Content = bytes | dict[str, Any]


class RawRecord(NamedTuple):
    """A record as its source delivers it.

    `lane` is the part of the source within which records have an order (a shard, a topic's partition), `position` its place there: positions
    ascend. `arrival` is in epoch seconds, `partition` the key by which the source chose the lane, `headers` those of a Kafka
    record.
    """

    data: bytes
    lane: str
    position: int
    arrival: float
    partition: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Record(NamedTuple):
    """A decoded record: its key, its event time in epoch seconds, and the values in the order of the declaration.

    A log event has no values yet: its features depend on the events of its key before it.
    """

    key: str
    time: float
    values: tuple[float, ...]
    lane: str
    position: int
    event: LogEvent | None = None


class Reason(StrEnum):
    """Reasons to reject a record; each record has one."""

    AGGREGATE = "KPL aggregate"
    NOT_JSON = "not JSON"
    NOT_CSV = "not CSV"
    NOT_A_LOG_LINE = "not a log line"
    MISSING_FIELD = "missing field"
    NOT_A_NUMBER = "not a number"
    NOT_FINITE = "not finite"
    TOO_LARGE = "too large"
    NOT_TEXT = "not text"
    NEGATIVE = "negative"
    NOT_A_STATUS = "not a status"
    NOT_A_TIME = "not a time"
    IN_THE_FUTURE = "in the future"
    NOT_A_KEY = "not a key"
    KEY_TOO_LONG = "key too long"
    TOO_MANY_KEYS = "too many keys"
    PREPROCESSOR_FAILED = "preprocessor failed"
    PREPROCESSOR_ANSWER = "invalid preprocessor answer"
    FAILED = "scoring failed"


class Rejected(NamedTuple):
    """A record that is not scored. `detail` names the field and the rule, never the record's content."""

    reason: Reason
    detail: str
    lane: str
    position: int


class DeadLetter(NamedTuple):
    """A rejected record as it is kept for the people who look after the stream."""

    rejected: Rejected
    raw: RawRecord
