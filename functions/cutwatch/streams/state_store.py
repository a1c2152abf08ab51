"""Buckets of keys in S3, written on condition that nobody else has written them since they were read.

Below `streams/NAME/CONFIGURATION/`: `layout.json`, which fixes the number of buckets, and one object per bucket. Another
configuration has a prefix of its own, so the states of the one before stay as they are.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from cutwatch.aws.s3 import Bucket
from cutwatch.detectors.stream import Stream
from cutwatch.errors import ConditionFailed, MalformedState, NewerState, NotFound
from cutwatch.streams.buckets import bucket_count
from cutwatch.streams.key_bucket import BucketHeader, KeyBucket
from cutwatch.streams.outbox import Notice

# Of a bucket's object that is read for its header; longer ones are read whole.
_HEADER_BYTES = 64 * 1024
# Of the buckets' objects that an execution environment keeps in memory.
_CACHE_BYTES = 256 * 1024 * 1024


@dataclass(slots=True)
class VersionedBucket:
    """A bucket with the ETag of its object, None before its first write, and the object's size in bytes."""

    bucket: KeyBucket
    etag: str | None
    size: int = 0


class StoredBucket(NamedTuple):
    """A bucket's object as a listing shows it."""

    number: int
    etag: str
    modified: datetime


@dataclass
class StateStore:
    """The stored states of one stream; `cache` has the buckets that this execution environment wrote last."""

    bucket: Bucket
    stream: Stream
    cache: OrderedDict[int, VersionedBucket] = field(default_factory=OrderedDict)

    @property
    def prefix(self) -> str:
        """Prefix of the keys of this configuration."""
        return f"streams/{self.stream.name}/{self.stream.fingerprint}/"

    def buckets(self, begin: Callable[[int], None] = lambda _: None) -> int:
        """Return the number of buckets; the first call of a configuration decides it for good.

        `begin` may write the first states of that number of buckets before others can see it.
        """
        key = f"{self.prefix}layout.json"
        try:
            return int(self.bucket.read_json(key)["buckets"])
        except NotFound:
            count = bucket_count(self.stream)
        begin(count)
        try:
            layout = {"schema": 1, "buckets": count}
            self.bucket.put_if(key, json.dumps(layout).encode(), None)
        except ConditionFailed:
            return self.buckets()
        return count

    def take(self, number: int) -> VersionedBucket:
        """Return a bucket to be changed, from memory or from S3, and remove it from memory.

        What is changed must not be found in memory again before it is written.
        """
        kept = self.cache.pop(number, None)
        return kept or self.load(number)

    def load(self, number: int) -> VersionedBucket:
        """Read a bucket from S3. A damaged one is set aside, and an empty one with a notice returned in its place."""
        try:
            content, etag = self.bucket.read_with_etag(self._key(number))
        except NotFound:
            return VersionedBucket(KeyBucket.empty(self.stream, number), None)
        try:
            found = KeyBucket.from_bytes(content, self.stream)
        except NewerState:
            raise
        except MalformedState as error:
            return VersionedBucket(self._set_aside(number, content, etag, error), etag)
        return VersionedBucket(found, etag, len(content))

    def save(self, taken: VersionedBucket) -> None:
        """Write a bucket and keep it in memory. Raises `ConditionFailed` if it was written since it was read."""
        content = taken.bucket.to_bytes(self.stream)
        number = taken.bucket.number
        taken.etag = self.bucket.put_if(self._key(number), content, taken.etag)
        taken.size = len(content)
        self.keep(taken)

    def keep(self, taken: VersionedBucket) -> None:
        """Keep a bucket in memory that equals its object, or has a shorter outbox."""
        self.cache[taken.bucket.number] = taken
        self.cache.move_to_end(taken.bucket.number)
        while len(self.cache) > 1 and sum(each.size for each in self.cache.values()) > _CACHE_BYTES:
            self.cache.popitem(last=False)

    def forget(self, number: int) -> None:
        """Remove a bucket from memory."""
        self.cache.pop(number, None)

    def other_configurations(self) -> list[str]:
        """Return the fingerprints of other configurations of the stream that have states, in alphabetical order."""
        root = f"streams/{self.stream.name}/"
        layouts = (each.key for each in self.bucket.list(root) if each.key.endswith("/layout.json"))
        found = {key.removeprefix(root).partition("/")[0] for key in layouts}
        return sorted(found - {self.stream.fingerprint})

    def stored(self) -> list[StoredBucket]:
        """Return every stored bucket, without reading any."""
        return [
            StoredBucket(int(name), each.etag, each.modified)
            for each in self.bucket.list(self.prefix)
            if (name := each.key.removeprefix(self.prefix)).isdigit()
        ]

    def header(self, number: int) -> BucketHeader:
        """Read a bucket's header, most often without its states. Raises `MalformedState`."""
        return read_header(self.bucket, self._key(number))

    def _key(self, number: int) -> str:
        return f"{self.prefix}{number:04d}"

    def _set_aside(
        self, number: int, content: bytes, etag: str, error: MalformedState
    ) -> KeyBucket:
        version = etag.strip('"')
        kept = (
            f"streams/{self.stream.name}/damaged/{self.stream.fingerprint}-{number:04d}-{version}"
        )
        self.bucket.write_bytes(kept, content)
        fresh = KeyBucket.empty(self.stream, number)
        text = f"{error}; the forests of its keys start from scratch, and {self.bucket.uri(kept)} has the damaged state"
        fresh.outbox.notices.append(Notice(f"{number:04d}-{version}", "state reset", text))
        return fresh


def read_header(bucket: Bucket, key: str) -> BucketHeader:
    """Read the header of the bucket of keys that an object has. Raises `MalformedState`."""
    header = BucketHeader.from_bytes(bucket.read_beginning(key, _HEADER_BYTES))
    return header or _whole(BucketHeader.from_bytes(bucket.read_bytes(key)))


def _whole(header: BucketHeader | None) -> BucketHeader:
    if header is None:
        raise MalformedState("not a bucket of a stream's keys: its header has no end")
    return header
