"""Structured log lines of a stream's functions."""

from collections.abc import Mapping
from typing import Any

from cutwatch_cli.stacks.run_logs import LogLine

# Fields of every line of Powertools, or part of the line's beginning.
_COMMON = frozenset(
    (
        "cold_start",
        "exception",
        "exception_name",
        "function_arn",
        "function_memory_size",
        "function_name",
        "function_request_id",
        "level",
        "location",
        "message",
        "service",
        "stack_trace",
        "stream",
        "timestamp",
        "xray_trace_id",
    )
)


def is_idle(line: LogLine) -> bool:
    """Return True for the line of a sweep or a batch without records: a quiet stream has one each minute."""
    return line.fields.get("message") == "scored" and not _own_fields(line)


def stream_text(line: LogLine, stack: str) -> str:
    """Format a line like a run's, with its other fields; counts of zero are left out."""
    fields = (f"{name}={_written(value)}" for name, value in _own_fields(line).items())
    return " ".join((line.text(stack), *fields))


def _own_fields(line: LogLine) -> Mapping[str, Any]:
    return {
        name: value
        for name, value in line.fields.items()
        if name not in _COMMON and value not in (0, None)
    }


def _written(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
