"""Buckets of keys in S3, written on condition that nobody else has written them since they were read.

Below `streams/NAME/CONFIGURATION/`: `layout.json`, which fixes the number of buckets, and one object per bucket. Another
configuration has a prefix of its own, so the states of the one before stay as they are.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf

from cutwatch.aws.s3 import Bucket
from cutwatch.aws.versioned_objects import StoredObject, Versioned, VersionedObjects
from cutwatch.detectors.stream import Stream
from cutwatch.errors import ConditionFailed, MalformedState, NotFound
from cutwatch.streams.buckets import bucket_count, bucket_of
from cutwatch.streams.incidents import STATE_WAS_DAMAGED, Incident, IncidentChange
from cutwatch.streams.key_bucket import BucketHeader, KeyBucket
from cutwatch.streams.outbox import Notice

# Of a bucket's object that is read for its header; longer ones are read whole.
_HEADER_BYTES = 64 * 1024

VersionedBucket = Versioned[KeyBucket]
StoredBucket = StoredObject


@dataclass
class StateStore(VersionedObjects[KeyBucket]):
    """The stored states of one stream.

    `open_incidents` returns the incidents of the stream that were notified and have not ended. `arrivals` has, by bucket, the arrival of
    the newest record of this execution environment's last batch in epoch seconds.
    """

    stream: Stream
    open_incidents: Callable[[], Sequence[Incident]] = field(default=tuple, kw_only=True)
    arrivals: dict[int, float] = field(default_factory=dict, kw_only=True)

    @property
    def root(self) -> str:
        """Prefix of the keys of all configurations."""
        return stream_root(self.stream.name)

    @property
    def prefix(self) -> str:
        """Prefix of the keys of this configuration."""
        return f"{self.root}{self.stream.fingerprint}/"

    def initial_buckets(self) -> int:
        """Return the number of buckets of a new configuration."""
        return bucket_count(self.stream)

    def buckets(self, begin: Callable[[int], None] = lambda _: None) -> int:
        """Return the number of buckets; the first call of a configuration decides it for good.

        `begin` may write the first states of that number of buckets before others can see it.
        """
        key = f"{self.prefix}layout.json"
        try:
            return int(self.bucket.read_json(key)["buckets"])
        except NotFound:
            count = self.initial_buckets()
        begin(count)
        try:
            layout = {"schema": 1, "buckets": count}
            self.bucket.put_if(key, json.dumps(layout).encode(), None)
        except ConditionFailed:
            return self.buckets()
        return count

    def empty(self, number: int) -> KeyBucket:
        """Return a bucket without keys."""
        return KeyBucket.empty(self.stream, number)

    def encode(self, content: KeyBucket) -> bytes:
        """Return a bucket's bytes."""
        return content.to_bytes(self.stream)

    def decode(self, content: bytes) -> KeyBucket:
        """Read a bucket's bytes. Raises `MalformedState`."""
        return KeyBucket.from_bytes(content, self.stream)

    def other_configurations(self) -> list[str]:
        """Return the fingerprints of other configurations of the stream that have states, in alphabetical order."""
        layouts = (
            each.key for each in self.bucket.list(self.root) if each.key.endswith("/layout.json")
        )
        found = {key.removeprefix(self.root).partition("/")[0] for key in layouts}
        return sorted(found - {self.stream.fingerprint})

    def note_batch(self, number: int, arrival: float) -> float:
        """Note a bucket's batch by the arrival of its newest record; return the seconds since the one before."""
        before, self.arrivals[number] = self.arrivals.get(number, -inf), arrival
        return arrival - before

    def header(self, number: int) -> BucketHeader:
        """Read a bucket's header, most often without its states. Raises `MalformedState`."""
        return read_header(self.bucket, self.key(number))

    def renewed(self, number: int, damaged: bytes, etag: str, error: MalformedState) -> KeyBucket:
        """Set a damaged bucket aside; return an empty one with a notice, in which the open incidents of its keys end."""
        version = etag.strip('"')
        kept = f"{self.root}damaged/{self.stream.fingerprint}-{number:04d}-{version}"
        self.bucket.write_bytes(kept, damaged)
        fresh = self.empty(number)
        text = f"{error}; the forests of its keys start from scratch, and {self.bucket.uri(kept)} has the damaged state"
        fresh.outbox.notices.append(Notice(f"{number:04d}-{version}", "state reset", text))
        fresh.outbox.changes += self._ended(number)
        return fresh

    def _ended(self, number: int) -> list[IncidentChange]:
        incidents, buckets = self.open_incidents(), self.buckets()
        return [
            IncidentChange("ended", each, STATE_WAS_DAMAGED)
            for each in incidents
            if bucket_of(each.key, buckets) == number
        ]


def stream_root(name: str) -> str:
    """Return the prefix of the keys of a stream's states."""
    return f"streams/{name}/"


def read_header(bucket: Bucket, key: str) -> BucketHeader:
    """Read the header of the bucket of keys that an object has. Raises `MalformedState`."""
    header = BucketHeader.from_bytes(bucket.read_beginning(key, _HEADER_BYTES))
    return header or _whole(BucketHeader.from_bytes(bucket.read_bytes(key)))


def _whole(header: BucketHeader | None) -> BucketHeader:
    if header is None:
        raise MalformedState("not a bucket of a stream's keys: its header has no end")
    return header
