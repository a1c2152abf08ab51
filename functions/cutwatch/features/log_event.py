"""A log event of a web service: one request, as its log line reports it."""

from typing import NamedTuple

from cutwatch.features.path_templates import path_template

_FIRST_ERROR = 500
_ERROR_LEVELS = frozenset({"ERROR", "CRITICAL", "FATAL", "SEVERE", "ALERT", "EMERG", "EMERGENCY"})
# Category of a field that the line does not have.
NONE = "(none)"


class LogEvent(NamedTuple):
    """One request. `time` is in epoch seconds, `response_time` in seconds; fields that the line lacks are None or empty."""

    time: float
    response_time: float | None = None
    level: str = ""
    method: str = ""
    path: str = ""
    status: int | None = None

    @property
    def is_error(self) -> bool:
        """True if the server failed: status 500 and above, or an error's level."""
        failed = self.status is not None and self.status >= _FIRST_ERROR
        return failed or self.level.upper() in _ERROR_LEVELS


class Categories(NamedTuple):
    """The categories of an event."""

    level: str
    method: str
    path: str
    status: str


def categories_of(event: LogEvent) -> Categories:
    """Return level, method, path template and status class (`2xx`) of an event."""
    return Categories(
        event.level.upper() or NONE,
        event.method.upper() or NONE,
        path_template(event.path) if event.path else NONE,
        NONE if event.status is None else f"{event.status // 100}xx",
    )
