"""Bytes of models: a line with kind, schema version and checksum, a line of JSON, and arrays of floats."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from zlib import crc32

import numpy as np

from cutwatch.errors import MalformedState, NewerState
from cutwatch.timeseries.arrays import Floats

# Increase with every change of the format; a model of a newer version is refused.
SCHEMA = 1
_WORDS = 4
_MAGIC = "cutwatch-model"


def to_bytes(kind: str, header: Mapping[str, Any], blocks: Sequence[bytes]) -> bytes:
    """Return a model of a kind in bytes."""
    lengths = [len(each) for each in blocks]
    body = json.dumps({**header, "lengths": lengths}).encode() + b"\n" + b"".join(blocks)
    return f"{_MAGIC} {kind} {SCHEMA} {crc32(body)}\n".encode() + body


def from_bytes(kind: str, content: bytes) -> tuple[Mapping[str, Any], list[bytes]]:
    """Return header and blocks of a model. Raises `MalformedState`, or `NewerState` for a newer version."""
    body = _checked_body(kind, content)
    line, _, rest = body.partition(b"\n")
    header = json.loads(line)
    blocks, start = [], 0
    for length in header["lengths"]:
        blocks.append(rest[start : start + length])
        start += length
    return header, blocks


def _checked_body(kind: str, content: bytes) -> bytes:
    line, _, body = content.partition(b"\n")
    words = line.decode(errors="replace").split(" ")
    if len(words) != _WORDS or words[:2] != [_MAGIC, kind] or not "".join(words[2:]).isdigit():
        raise MalformedState(f"not a model of kind {kind}: the first line is another")
    if int(words[2]) > SCHEMA:
        raise NewerState(
            f"the model has schema version {words[2]}, and this version of Cutwatch reads up to {SCHEMA}; "
            "deploy the version that wrote it, or a newer one"
        )
    if crc32(body) != int(words[3]):
        raise MalformedState("the model is damaged: its checksum does not match its content")
    return body


def floats(block: bytes, columns: int | None = None) -> Floats:
    """Return a block as an array of floats, (n,) or (n, columns)."""
    values = np.frombuffer(block, np.float64)
    return values if columns is None else values.reshape(-1, columns)
