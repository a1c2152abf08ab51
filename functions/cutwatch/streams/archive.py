"""Past records of a stream in S3: one record per line, in objects whose keys sort by time."""

import gzip
from collections.abc import Iterator

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import InvalidInput, MalformedObject
from cutwatch.streams.record import RawRecord

LANE = "history"


def oldest_first(archive: Bucket, prefix: str, now: float) -> Iterator[RawRecord]:
    """Yield the lines of the objects below a prefix, in the order of their keys.

    Objects that end in `.gz` are decompressed. `now`, in epoch seconds, is the records' arrival. Raises `MalformedObject`.
    """
    position = 0
    for listed in archive.list(prefix):
        for line in _lines(archive, listed.key):
            position += 1
            yield RawRecord(line, LANE, position, now)


def newest(archive: Bucket, prefix: str, now: float, most: int) -> list[RawRecord]:
    """Return the records of the last objects below a prefix, of as many as have `most` records together.

    Raises `InvalidInput` if there is no object, or `MalformedObject`.
    """
    keys = [each.key for each in archive.list(prefix)]
    if not keys:
        raise InvalidInput(f"{archive.uri(prefix)} has no objects; the records to train on must be below it")  # fmt: skip
    found: list[list[bytes]] = []
    while keys and sum(map(len, found)) < most:
        found.append([*_lines(archive, keys.pop())])
    lines = [line for each in reversed(found) for line in each][-most:]
    return [RawRecord(line, LANE, number, now) for number, line in enumerate(lines, 1)]


def _lines(archive: Bucket, key: str) -> Iterator[bytes]:
    content = archive.read_bytes(key)
    if key.endswith(".gz"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError) as error:
            raise MalformedObject(f"{archive.uri(key)} is not a gzip file: {error}") from None
    # Of raw log lines, only line feeds end one: a client may have sent any other byte.
    return (line for each in content.split(b"\n") if (line := each.rstrip(b"\r")))
