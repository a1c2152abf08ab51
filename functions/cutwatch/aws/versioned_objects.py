"""Numbered objects in S3 that are written on condition that nobody else has written them since they were read."""

from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from cutwatch.aws.s3 import Bucket
from cutwatch.errors import MalformedState, NewerState, NotFound

Content = TypeVar("Content")

# Total size of the objects that an execution environment keeps in memory.
_CACHE_BYTES = 256 * 1024 * 1024


@dataclass(slots=True)
class Versioned(Generic[Content]):
    """The content of an object, its number, its ETag (None before the first write) and its size in bytes."""

    bucket: Content
    number: int
    etag: str | None
    size: int = 0


class StoredObject(NamedTuple):
    """A numbered object as a listing shows it."""

    number: int
    etag: str
    modified: datetime


@dataclass
class VersionedObjects(ABC, Generic[Content]):
    """The numbered objects below a prefix; `cache` has those that this execution environment wrote last."""

    bucket: Bucket
    cache: OrderedDict[int, Versioned[Content]] = field(default_factory=OrderedDict, kw_only=True)

    @property
    @abstractmethod
    def prefix(self) -> str:
        """Prefix of the keys."""

    @abstractmethod
    def empty(self, number: int) -> Content:
        """Return what an object holds before its first write."""

    @abstractmethod
    def encode(self, content: Content) -> bytes:
        """Return an object's bytes."""

    @abstractmethod
    def decode(self, content: bytes) -> Content:
        """Read an object's bytes. Raises `MalformedState`."""

    @abstractmethod
    def renewed(self, number: int, damaged: bytes, etag: str, error: MalformedState) -> Content:
        """Set a damaged object aside; return what takes its place."""

    def take(self, number: int) -> Versioned[Content]:
        """Return an object's content to be changed, from memory or from S3, and remove it from memory.

        What is changed must not be found in memory again before it is written.
        """
        kept = self.cache.pop(number, None)
        return kept or self.load(number)

    def load(self, number: int) -> Versioned[Content]:
        """Read an object from S3."""
        try:
            content, etag = self.bucket.read_with_etag(self.key(number))
        except NotFound:
            return Versioned(self.empty(number), number, None)
        try:
            found = self.decode(content)
        except NewerState:
            raise
        except MalformedState as error:
            return Versioned(self.renewed(number, content, etag, error), number, etag)
        return Versioned(found, number, etag, len(content))

    def save(self, taken: Versioned[Content]) -> None:
        """Write an object and keep it in memory. Raises `ConditionFailed` if it was written since it was read."""
        content = self.encode(taken.bucket)
        taken.etag = self.bucket.put_if(self.key(taken.number), content, taken.etag)
        taken.size = len(content)
        self.keep(taken)

    def keep(self, taken: Versioned[Content]) -> None:
        """Keep in memory what equals its object, or has a shorter outbox."""
        self.cache[taken.number] = taken
        self.cache.move_to_end(taken.number)
        while len(self.cache) > 1 and sum(each.size for each in self.cache.values()) > _CACHE_BYTES:
            self.cache.popitem(last=False)

    def forget(self, number: int) -> None:
        """Remove an object from memory."""
        self.cache.pop(number, None)

    def stored(self) -> list[StoredObject]:
        """Return every stored object, without reading any."""
        return [
            StoredObject(int(name), each.etag, each.modified)
            for each in self.bucket.list(self.prefix)
            if (name := each.key.removeprefix(self.prefix)).isdigit()
        ]

    def key(self, number: int) -> str:
        """Return the key of an object."""
        return f"{self.prefix}{number:04d}"
