"""From the bytes of a log record to its event, or to the one reason why it is rejected. The record is never repeated."""

import math
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from cutwatch.detectors.log_format import (
    KAFKA_HEADER,
    KAFKA_KEY,
    KAFKA_TOPIC,
    LogEncoding,
    LogFormat,
    TimeUnit,
    access_log_parser,
    compile_pattern,
)
from cutwatch.features.log_event import LogEvent
from cutwatch.streams.decoding import TIME_READERS, checked_key, checked_time
from cutwatch.streams.json_text import parsed
from cutwatch.streams.kafka import topic_of
from cutwatch.streams.places import compile_place
from cutwatch.streams.record import Content, RawRecord, Reason, Record, Rejected
from cutwatch.streams.record_fields import RejectedError

# Longer lines are not log lines; parsing them would take long.
LONGEST_LINE = 65_536
_LONGEST_TEXT = 1_024
_FIRST_STATUS, _LAST_STATUS = 100, 599
_REQUEST_WORDS = 2
# Fields that a server writes as a dash are missing.
_MISSING = ("", "-", None)
_UNITS: Mapping[TimeUnit, float] = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6}

# Serializers of schema registries write it, and the number of the schema after it; no JSON begins with it.
_REGISTRY_MAGIC = b"\0"
_OF_A_REGISTRY = "the record is Avro or Protobuf of a schema registry, which are not read; have it written as JSON or as a line of text"

Parts = Mapping[str, Any]


class LogDecoder:
    """Decoder of one stream's log records. It never raises for a record, whatever its content."""

    def __init__(self, declared: LogFormat, time_zone: str) -> None:
        self._parts = _READERS[declared.format](declared)
        self._key = _key_reader(declared)
        # apachelogs reads times itself.
        self._time: Callable[[Any], float] = (
            float
            if declared.format == "access_log"
            else TIME_READERS[declared.time_format](ZoneInfo(time_zone))
        )
        self._unit = _UNITS[declared.response_time_unit]

    def decode(self, raw: RawRecord, content: Content | None = None) -> Record | Rejected:
        """Return the record with its log event, from the content that a preprocessor made of it, or the reason why it is rejected."""
        try:
            parts = self._parts(raw.data if content is None else content)
            key = checked_key(self._key(raw, parts))
            event = self._event(parts, raw.arrival)
        except RejectedError as error:
            return Rejected(error.reason, error.detail, raw.lane, raw.position)
        return Record(key, event.time, (), raw.lane, raw.position, event)

    def _event(self, parts: Parts, arrival: float) -> LogEvent:
        method, path = _request(parts)
        event = LogEvent(
            checked_time(parts.get("time"), arrival, self._time),
            _response_time(parts, self._unit),
            _text(parts, "level"),
            method,
            path,
            _status(parts.get("status")),
        )
        if event[1:] == LogEvent(event.time)[1:]:
            raise RejectedError(Reason.MISSING_FIELD, "the record has no part of a request")
        return event


def _key_reader(declared: LogFormat) -> Callable[[RawRecord, Parts], Any]:
    """Return a function that reads the key: that of Kafka's record, its topic, one of its headers, or a part of the log record."""
    if declared.key == KAFKA_KEY:
        return lambda raw, _: raw.partition
    if declared.key == KAFKA_TOPIC:
        return lambda raw, _: topic_of(raw.lane)
    if declared.key.startswith(KAFKA_HEADER):
        name = declared.key.removeprefix(KAFKA_HEADER)
        return lambda raw, _: dict(raw.headers).get(name)
    return lambda _, parts: parts.get("key", "")


def _request(parts: Parts) -> tuple[str, str]:
    """Return method and path, from the request line if there is one."""
    words = _text(parts, "request").split()
    if len(words) < _REQUEST_WORDS:
        return _text(parts, "method"), _text(parts, "path")
    return words[0], words[1]


def _text(parts: Parts, name: str) -> str:
    given = parts.get(name)
    if given in _MISSING:
        return ""
    if not isinstance(given, str):
        raise RejectedError(Reason.NOT_TEXT, f"{name} is not a text")
    return given[:_LONGEST_TEXT]


def _response_time(parts: Parts, unit: float) -> float | None:
    number = _number(parts.get("response_time"), "response_time")
    if number is None:
        return None
    if number < 0:
        raise RejectedError(Reason.NEGATIVE, "response_time is negative")
    return number * unit


def _status(given: Any) -> int | None:
    number = _number(given, "status")
    if number is None:
        return None
    if not _FIRST_STATUS <= number <= _LAST_STATUS:
        raise RejectedError(Reason.NOT_A_STATUS, "status is not between 100 and 599")
    return int(number)


def _number(given: Any, name: str) -> float | None:
    """Return a number, which may be in a text; None if it is missing."""
    if isinstance(given, str):
        given = given.strip()
    if given in _MISSING:
        return None
    try:
        number = math.nan if isinstance(given, bool) or "_" in str(given) else float(given)
    except (TypeError, ValueError, OverflowError):
        raise RejectedError(Reason.NOT_A_NUMBER, f"{name} is not a number") from None
    if not math.isfinite(number):
        raise RejectedError(Reason.NOT_A_NUMBER, f"{name} is not a finite number")
    return number


def _json_reader(declared: LogFormat) -> Callable[[Content], Parts]:
    places = {name: compile_place(place) for name, place in declared.places.items()}

    def read(content: Content) -> Parts:
        record = content if isinstance(content, dict) else _json(content)
        return {name: place(record) for name, place in places.items()}

    return read


def _json(data: bytes) -> Any:
    try:
        return parsed(data)
    except ValueError:
        known = (
            _OF_A_REGISTRY if data.startswith(_REGISTRY_MAGIC) else "the record is not a JSON text"
        )
        raise RejectedError(Reason.NOT_JSON, known) from None


def _access_log_reader(declared: LogFormat) -> Callable[[Content], Parts]:
    parser = access_log_parser(declared.log_format)

    def read(data: Content) -> Parts:
        try:
            entry = parser.parse(_line(data))
        except ValueError:
            raise RejectedError(
                Reason.NOT_A_LOG_LINE, "the record does not have the declared log_format"
            ) from None
        return {
            "time": entry.request_time.timestamp() if entry.request_time else None,
            "request": getattr(entry, "request_line", None),
            "method": getattr(entry, "request_method", None),
            "path": getattr(entry, "request_uri", None),
            "status": getattr(entry, "final_status", None) or getattr(entry, "status", None),
            "response_time": _duration(entry),
        }

    return read


def _duration(entry: Any) -> float | None:
    """Return the response time of an access log's entry, in seconds."""
    for unit, factor in _UNITS.items():
        number = getattr(entry, f"request_duration_{unit}", None)
        if number is not None:
            return float(number) * factor
    return None


def _pattern_reader(declared: LogFormat) -> Callable[[Content], Parts]:
    search = compile_pattern(declared.pattern).search

    def read(data: Content) -> Parts:
        match = search(_line(data))
        if match is None:
            raise RejectedError(Reason.NOT_A_LOG_LINE, "the record does not match the pattern")
        found: Parts = match.groupdict()
        return found

    return read


def _line(data: Content) -> str:
    if isinstance(data, dict):
        raise RejectedError(
            Reason.NOT_A_LOG_LINE, "the preprocessor returned fields; set log.format: json"
        )
    if len(data) > LONGEST_LINE:
        raise RejectedError(
            Reason.NOT_A_LOG_LINE, f"the record is longer than {LONGEST_LINE} bytes"
        )
    # A server writes the bytes that a client sends.
    return data.decode(errors="backslashreplace").rstrip("\r\n")


_READERS: Mapping[LogEncoding, Callable[[LogFormat], Callable[[Content], Parts]]] = {
    "json": _json_reader,
    "access_log": _access_log_reader,
    "pattern": _pattern_reader,
}
