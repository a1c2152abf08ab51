"""Structured log lines of a stream's functions."""

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


def stream_text(line: LogLine, stack: str) -> str:
    """Format a line like a run's, with its other fields; counts of zero are left out."""
    fields = " ".join(
        f"{name}={_written(value)}"
        for name, value in line.fields.items()
        if name not in _COMMON and value not in (0, None)
    )
    return f"{line.text(stack)} {fields}".rstrip()


def _written(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if " " in text else text
