"""Format of log records: JSON, an access log by the server's own LogFormat, or a pattern of named groups."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Literal

import jmespath
from annotated_types import Len
from jmespath.exceptions import JMESPathError

from cutwatch.detectors.metric_source import Problem
from cutwatch.detectors.record_format import TimeFormat

LogEncoding = Literal["json", "access_log", "pattern"]
TimeUnit = Literal["seconds", "milliseconds", "microseconds"]

# Apache's and nginx's format of this name, with Apache's response time in microseconds behind it.
COMBINED = '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
COMBINED_WITH_TIME = f"{COMBINED} %D"
_TIME_OF_REQUEST = re.compile(r"%(?:\{(?!end)[^}]*\})?t")
# Keys that Kafka's record has, not the log record in it: its key, its topic, or the header of a name.
KAFKA_KEY, KAFKA_TOPIC, KAFKA_HEADER = "kafka.key", "kafka.topic", "kafka.headers."
# Parts of a log record that features are made of. `request` is a request line, such as `GET /cart HTTP/1.1`.
PARTS = ("response_time", "level", "method", "path", "request", "status")
_NAMES = ("key", "time", *PARTS)
# Features of a log event, in their order. `features/log_features.py` computes them.
LOG_COLUMNS = (
    "response_time",
    "response_time_of_path",
    "level",
    "method",
    "path",
    "status",
    "hour_sin",
    "hour_cos",
    "weekday_sin",
    "weekday_cos",
    "weekend",
    "request_rate",
    "error_rate",
    "distinct_paths",
)


@dataclass(frozen=True)
class LogFormat:
    r"""Format of a stream of log records; each record is one request.

    `key` may be `kafka.key`, `kafka.topic` or `kafka.headers.NAME` in every format. `json`: key, time and the other parts are JMESPath expressions. `access_log`: `log_format` is the server's LogFormat in Apache's
    notation. `pattern`: an RE2 expression with groups of these names, such as `(?P<path>\S+)`.
    """

    format: LogEncoding = "json"
    key: str = ""
    time: str = ""
    time_format: TimeFormat = "iso8601"
    response_time: str = ""
    response_time_unit: TimeUnit = "seconds"
    level: str = ""
    method: str = ""
    path: str = ""
    request: str = ""
    status: str = ""
    log_format: Annotated[str, Len(1)] = COMBINED_WITH_TIME
    pattern: str = ""

    __pydantic_config__ = {"extra": "forbid"}

    def __post_init__(self) -> None:
        problems = [f"{name}: {problem}" for name, problem in _PROBLEMS[self.format](self)]
        problems += [f"{name}: {problem}" for name, problem in _misplaced(self)]
        if problems:
            raise ValueError("\n".join(problems))

    @property
    def places(self) -> dict[str, str]:
        """JMESPath expressions by part, of those that are declared."""
        places = {name: place for name in _NAMES if (place := getattr(self, name))}
        if self.is_keyed_by_kafka:
            del places["key"]
        return places

    @property
    def is_keyed_by_kafka(self) -> bool:
        """True if the key is that of Kafka's record, its topic or one of its headers: a line on its own has none."""
        return _is_of_kafka(self.key)

    @property
    def is_keyed(self) -> bool:
        """True if records name the key that they belong to."""
        return bool(self.key) or "(?P<key>" in self.pattern


def _is_of_kafka(key: str) -> bool:
    return key in (KAFKA_KEY, KAFKA_TOPIC) or key.startswith(KAFKA_HEADER)


# RE2 and apachelogs are imported for the formats that need them: they take longer to import than the rest of a function.
def compile_pattern(pattern: str) -> Any:
    """Compile an RE2 expression. Raises `ValueError` with RE2's reason."""
    re2 = import_module("re2")
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        raise ValueError(reason.decode() if isinstance(reason, bytes) else reason) from None


def _json_problems(log: LogFormat) -> Iterator[Problem]:
    if not log.time:
        yield "time", "is missing; expected the place of the event time, a JMESPath expression"
    if not any(getattr(log, name) for name in PARTS):
        yield "format", f"json needs the place of at least one of {', '.join(PARTS)}"
    for name, place in log.places.items():
        try:
            jmespath.compile(place)  # type: ignore[no-untyped-call]
        except JMESPathError as error:
            reason = str(error).split("\n", maxsplit=1)[0].rstrip(":")
            yield name, f"{place!r} is not a JMESPath expression: {reason}"


def access_log_parser(log_format: str) -> Any:
    """Return apachelogs' parser of a LogFormat. Raises `ValueError`."""
    return import_module("apachelogs").LogParser(log_format)


def _access_log_problems(log: LogFormat) -> Iterator[Problem]:
    try:
        access_log_parser(log.log_format)
    except ValueError as error:
        yield "log_format", f"{log.log_format!r} is not a LogFormat of Apache: {error}"
        return
    if not _TIME_OF_REQUEST.search(log.log_format):
        yield "log_format", f"{log.log_format!r} has no time of the request; add %t"


def _pattern_problems(log: LogFormat) -> Iterator[Problem]:
    if not log.pattern:
        yield "pattern", "is missing; expected an RE2 expression with a group named time"
        return
    try:
        groups = compile_pattern(log.pattern).groupindex
    except ValueError as error:
        yield "pattern", f"is not an RE2 expression: {error}"
        return
    if "time" not in groups:
        yield "pattern", "has no group named time; write (?P<time>...)"
    unknown = sorted(set(groups) - set(_NAMES))
    if unknown:
        yield "pattern", f"group {unknown[0]!r} is not one of {', '.join(_NAMES)}"


def _misplaced(log: LogFormat) -> Iterator[Problem]:
    """Yield the fields that the format does not read."""
    if log.format != "json":
        for name in log.places:
            yield name, f"belongs to format: json; {log.format} has its own fields"
    if log.format != "pattern" and log.pattern:
        yield "pattern", "belongs to format: pattern"
    if log.format != "access_log" and log.log_format != COMBINED_WITH_TIME:
        yield "log_format", "belongs to format: access_log"


_PROBLEMS = {
    "json": _json_problems,
    "access_log": _access_log_problems,
    "pattern": _pattern_problems,
}
