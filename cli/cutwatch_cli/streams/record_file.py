"""A file of records, one per line, as a stream would deliver them."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from cutwatch.detectors.record_format import RecordFormat
from cutwatch.streams.record import RawRecord

# Lambda's usual batch for a busy stream.
BATCH = 1_000
_LANE = "file"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def batches_of(path: Path, declared: RecordFormat, arrival: float) -> Iterator[list[RawRecord]]:
    """Yield the records of a file in batches; a position is the number of a line. Raises `OSError`.

    Empty lines, and a header that consists of the declared columns of CSV, are not records. `arrival` in epoch seconds
    is that of every record: a file does not say when it arrived.
    """
    records = _records(path, declared, arrival)
    while batch := list(islice(records, BATCH)):
        yield batch


def _records(path: Path, declared: RecordFormat, arrival: float) -> Iterator[RawRecord]:
    header = declared.delimiter.join(declared.columns).encode()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            content = line.removeprefix(_BYTE_ORDER_MARK) if number == 1 else line
            content = content.rstrip(b"\r\n")
            if content and not (number == 1 and _plain(content) == header):
                yield RawRecord(content, _LANE, number, arrival)


def _plain(line: bytes) -> bytes:
    """Return a line of CSV without the quotes and spaces that headers may have."""
    return line.replace(b'"', b"").replace(b" ", b"")
