"""The forest of a detector that the keys of a stream begin with, as one configuration of the stream keeps it for good."""

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any
from zlib import crc32

from krcf import RandomCutForest

from cutwatch.detectors.stream import Stream
from cutwatch.errors import MalformedState, NewerState
from cutwatch.streams.baseline import ScoreBaseline
from cutwatch.streams.forest import KeyForest, Scale

# Increase with every change of the format; an object of a newer version is refused.
SCHEMA = 1
_MAGIC = b"cutwatch-cold-start"


@dataclass(frozen=True)
class DetectorForest:
    """A copy of a detector's forest after training, with the baseline of its scores.

    `checkpoint` is the S3 key that it was read from, and `etag` that object's. Values are divided by `scale` as the detector's
    were. `learned` counts the rows of the training, which end before epoch second `through`. If there is no forest that fits,
    `reason` says why, and keys begin with nothing.
    """

    detector: str
    reason: str = ""
    model: str = ""
    checkpoint: str = ""
    etag: str = ""
    scale: Scale = (0.0, 1.0)
    learned: int = 0
    through: float = 0.0
    baseline: Mapping[str, Any] = field(default_factory=dict)
    content: bytes = field(default=b"", repr=False)

    @property
    def is_missing(self) -> bool:
        """True if keys begin with nothing."""
        return bool(self.reason)

    def of_key(self, stream: Stream) -> KeyForest:
        """Return the forest that a new key begins with; each call returns an equal one."""
        forest = RandomCutForest.from_msgpack(self.content)
        return KeyForest(forest, stream.forest, len(stream.columns), self.learned, self.scale)

    def baseline_of_key(self) -> ScoreBaseline:
        """Return the baseline that a new key begins with."""
        return ScoreBaseline.from_payload(deepcopy(dict(self.baseline)))

    def to_bytes(self) -> bytes:
        """Return a line with schema version and checksum, a line of JSON, and the forest."""
        header = asdict(self)
        del header["content"]
        line = json.dumps(header).encode()
        checksum = crc32(self.content, crc32(line))
        return b"".join([b"%s %d %d\n" % (_MAGIC, SCHEMA, checksum), line, b"\n", self.content])

    @classmethod
    def from_bytes(cls, content: bytes) -> "DetectorForest":
        """Read back what `to_bytes` returned. Raises `MalformedState` for a newer version or damaged content."""
        first, line, forest = [*content.split(b"\n", 2), b"", b""][:3]
        words = first.split(b" ")
        if len(words) != 3 or words[0] != _MAGIC or not all(word.isdigit() for word in words[1:]):  # noqa: PLR2004 - magic, version, checksum
            raise MalformedState("not a forest for a cold start: the first line is another")
        version, checksum = map(int, words[1:])
        if version > SCHEMA:
            raise NewerState(
                f"the forest for a cold start has schema version {version}, and this version of Cutwatch reads up to {SCHEMA}; "
                "deploy the version that wrote it, or a newer one"
            )
        if crc32(forest, crc32(line)) != checksum:
            raise MalformedState(
                "the forest for a cold start is damaged: its checksum does not match its content"
            )
        header = json.loads(line)
        centre, spread = header.pop("scale")
        return cls(**header, scale=(centre, spread), content=forest)
