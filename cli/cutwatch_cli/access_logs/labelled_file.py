"""A file of a stream's log records with labels."""

import json
from pathlib import Path

from cutwatch.detectors.detectors_file import load_configuration
from cutwatch.errors import InvalidInput
from cutwatch.streams.log_decoding import LogDecoder
from cutwatch.streams.places import Place, compile_place
from cutwatch.streams.record import RawRecord, Record
from cutwatch_cli.access_logs.faults import Fault
from cutwatch_cli.access_logs.shop import Request
from cutwatch_cli.streams.stream_backtest import find_stream

_ALWAYS = 1e12
# The fault of a record that is labelled in a file.
LABELLED = Fault("labelled", 0.0, _ALWAYS)


def read_requests(
    path: Path, detectors: Path, name: str, label: str = ""
) -> tuple[list[Request], str]:
    """Return the requests of a file in the order of time, and the stream's time zone.

    Records that cannot be read are left out. Raises `InvalidInput` if the file has none, or the stream is not that of a log.
    """
    stream = find_stream(load_configuration(detectors), name)
    if stream.log is None:
        raise InvalidInput(f"stream {name!r} has no log; compare needs log records")
    place = compile_place(label) if label else None
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"{path}: {error.strerror or error}") from None
    decoder = LogDecoder(stream.log, stream.time_zone)
    read = (_request(line, decoder, place) for line in lines)
    requests = [each for each in read if each is not None]
    if not requests:
        raise InvalidInput(f"{path}: no line is a log record of stream {name!r}")
    return sorted(requests, key=lambda each: each.event.time), stream.time_zone


def _request(line: bytes, decoder: LogDecoder, place: Place | None) -> Request | None:
    record = decoder.decode(RawRecord(line, "", 0, _ALWAYS))
    if not isinstance(record, Record) or record.event is None:
        return None
    labelled = place is not None and bool(place(_json(line)))
    return Request(record.event, LABELLED if labelled else None)


def _json(line: bytes) -> object:
    try:
        content: object = json.loads(line)
    except ValueError:
        return None
    return content
