"""An inferred stream as an entry of `detectors.yaml`, with comments."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from cutwatch.detectors.record_format import RecordFormat
from cutwatch_cli.streams.inference import InferredFormat

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_LENGTH = 64


def entry_text(source: str, inferred: InferredFormat, sampled: str) -> str:
    """Return the document of a stream; `sampled` says from which records it was inferred."""
    lines = [f"# Inferred from {sampled}.", *(f"# {each}" for each in inferred.comments)]
    lines += ["streams:", f"  - name: {_scalar(stream_name(source))}"]
    lines += [f"    source: {_scalar(source)}", "    record:"]
    lines += [f"      {line}" for line in _record_lines(inferred.record, inferred.by_field)]
    return "\n".join(lines) + "\n"


def stream_name(source: str) -> str:
    """Return a valid name for a stream with this source."""
    name = _NOT_IN_NAMES.sub("-", source.rpartition("/")[2]).strip("._-")
    return name[:_NAME_LENGTH] or "stream"


def _record_lines(record: RecordFormat, comments: Mapping[str, str]) -> Iterator[str]:
    if record.format == "csv":
        yield "format: csv"
        yield f"columns: {_scalar(list(record.columns))}"
        if record.delimiter != ",":
            yield f"delimiter: {_scalar(record.delimiter)}"
    yield _commented(f"key: {_scalar(record.key)}" if record.key else "", comments["key"])
    yield _commented(f"time: {_scalar(record.time)}", comments["time"])
    if record.time_format != "iso8601":
        yield f"time_format: {record.time_format}"
    yield "values:"
    for name, place in record.values.items():
        yield _commented(f"  {_scalar(name)}: {_scalar(place)}", comments[name])


def _commented(text: str, comment: str) -> str:
    return f"{text}  # {comment}" if text else f"# {comment}"


def _scalar(value: Any) -> str:
    """Return a value as YAML on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"))
    return text.removesuffix("\n").removesuffix("...").strip()
