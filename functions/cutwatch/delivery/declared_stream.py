"""Lookup of the stream that a stack's functions serve."""

from pathlib import Path

from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.detectors.stream import Stream
from cutwatch.errors import InvalidSetting


def find_stream(file: Path, name: str) -> Stream | None:
    """Return the stream of a detectors file with this name, None if there is none. Raises `InvalidDetectors`."""
    return next((each for each in load_configuration(file).streams if each.name == name), None)


def declared_stream(file: Path, name: str, arn: str) -> Stream:
    """Return a stream of a detectors file. Raises `InvalidSetting` if it has none of this name and ARN, or `InvalidDetectors`."""
    declared = {stream.name: stream for stream in load_configuration(file).streams}
    if name not in declared:
        names = ", ".join(declared) or "none"
        raise InvalidSetting(
            f"STREAM_NAME is {name!r}, which {file.name} does not declare; its streams: {names}"
        )
    stream = declared[name]
    if not stream.is_read_from(arn):
        raise InvalidSetting(
            f"STREAM_ARN is {arn!r}, but stream {name!r} has source {stream.source!r}"
        )
    return stream
