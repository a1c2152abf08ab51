"""An S3 bucket in memory that fails on demand, and a delivery that notes what arrives."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cutwatch.aws.s3 import ListedObject
from cutwatch.errors import ConditionFailed, ConnectionLost, NotFound
from cutwatch.streams.outbox import Outbox
from tests.support.fakes import Fake


class Crash(BaseException):
    """The process ends at this point."""


@dataclass
class FakeBucket(Fake):
    """Objects with ETags. `interrupt` is called before and after every call, with its name, and may raise."""

    name: str = "data"
    objects: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    history: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    writes: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    interrupt: Callable[[str], None] = lambda _: None
    now: datetime = datetime(2026, 11, 2, tzinfo=UTC)
    modified: dict[str, datetime] = field(default_factory=dict)

    def uri(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def read_with_etag(self, key: str) -> tuple[bytes, str]:
        self._call("read before")
        if key not in self.objects:
            raise NotFound("GetObject", "NoSuchKey", key)
        found = self.objects[key]
        self._call("read after")
        return found

    def read_bytes(self, key: str) -> bytes:
        return self.read_with_etag(key)[0]

    def read_beginning(self, key: str, size: int) -> bytes:
        return self.read_with_etag(key)[0][:size]

    def list(self, prefix: str) -> Iterator[ListedObject]:
        for key, (_, etag) in sorted(self.objects.items()):
            if key.startswith(prefix):
                yield ListedObject(key, etag, self.modified[key])

    def read_json(self, key: str) -> Any:
        return json.loads(self.read_with_etag(key)[0])

    def write_bytes(self, key: str, content: bytes) -> None:
        self._put(key, content)

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def put_if(self, key: str, content: bytes, etag: str | None) -> str:
        self._call("write before")
        if (self.objects[key][1] if key in self.objects else None) != etag:
            raise ConditionFailed("PutObject", "PreconditionFailed", key)
        stored = self._put(key, content)
        self._call("write after")
        return stored

    def _put(self, key: str, content: bytes) -> str:
        self.writes += 1
        self.history[key].append(content)
        self.modified[key] = self.now
        etag = f'"{self.writes}-{hashlib.sha256(content).hexdigest()[:8]}"'
        self.objects[key] = (content, etag)
        return etag

    def _call(self, name: str) -> None:
        self.calls[name] += 1
        self.interrupt(name)


@dataclass
class Inbox:
    """Where a delivery arrives: each change, rejected record and row by its identity, with the number of times."""

    changes: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[tuple[str, int]] = field(default_factory=Counter)
    rows: Counter[tuple[str, float]] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)
    interrupt: Callable[[str], None] = lambda _: None

    def deliver(self, outbox: Outbox) -> None:
        """Take everything out of the outbox, one by one."""
        while outbox.changes:
            self.interrupt("deliver before")
            kind, incident, _ = outbox.changes[0]
            self.changes[incident.id, f"{kind}:{incident.severity_word}"] += 1
            self.interrupt("deliver after")
            del outbox.changes[0]
        while outbox.notices:
            self.notices[outbox.notices.pop(0).kind] += 1
        while outbox.rejected:
            self.interrupt("deliver before")
            self.rejected[outbox.rejected[0].raw.lane, outbox.rejected[0].raw.position] += 1
            del outbox.rejected[0]
        while outbox.rows:
            self.interrupt("deliver before")
            self.rows[outbox.rows[0]["id"], outbox.rows[0]["score"]] += 1
            del outbox.rows[0]


def lost_answer(operation: str) -> ConnectionLost:
    """Return the error of a call whose answer did not arrive."""
    return ConnectionLost(operation, "ReadTimeoutError", "the answer did not arrive")
