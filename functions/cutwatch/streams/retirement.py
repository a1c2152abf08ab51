"""Retirement of a replaced configuration of a stream or of a table's forests: its outboxes are delivered, and its incidents end.

The states stay as they are otherwise, so a rollback continues with them.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cutwatch.aws.s3 import Bucket, ListedObject
from cutwatch.errors import ConditionFailed, CutwatchError, MalformedState, NotFound
from cutwatch.observability import logger
from cutwatch.streams.incidents import IncidentChange
from cutwatch.streams.key_bucket import divided, joined
from cutwatch.streams.key_state import without_incident
from cutwatch.streams.outbox import Deliver, Outbox
from cutwatch.streams.state_store import read_header

_BUCKET = re.compile(r"(?P<configuration>[0-9a-f]{12})/\d{4,}")
# A function of the configuration before may still write for as long as an invocation takes.
STILL_WRITTEN = timedelta(minutes=5)


@dataclass
class Retired:
    """Outcome: incidents that ended, errors that the next run may not meet, and whether nothing is left to be looked at."""

    incidents: int = 0
    errors: list[CutwatchError] = field(default_factory=list)
    is_settled: bool = True


@dataclass
class Retirement:
    """Retires the states of all configurations below `root` but `current`; an empty one retires all.

    `deliver` empties an outbox. `settled` are the ETags of objects in which nothing is open, by key.
    """

    bucket: Bucket
    root: str
    current: str
    reason: str
    deliver: Deliver
    settled: dict[str, str] = field(default_factory=dict)

    def run(self, now: datetime, has_time: Callable[[], bool]) -> Retired:
        """End what is open, as far as nobody writes it any more."""
        retired = Retired()
        for each in self._unsettled():
            if now - each.modified <= STILL_WRITTEN or not has_time():
                retired.is_settled = False
                continue
            try:
                retired.incidents += self._settle(each)
            except (ConditionFailed, NotFound):
                retired.is_settled = False
            except CutwatchError as error:
                retired.errors.append(error)
        return retired

    def _unsettled(self) -> list[ListedObject]:
        return [each for each in self._others() if self.settled.get(each.key) != each.etag]

    def _others(self) -> Iterator[ListedObject]:
        for each in self.bucket.list(self.root):
            match = _BUCKET.fullmatch(each.key.removeprefix(self.root))
            if match and match["configuration"] != self.current:
                yield each

    def _settle(self, listed: ListedObject) -> int:
        try:
            ended, etag = self._retire(listed)
        except MalformedState as error:
            uri = self.bucket.uri(listed.key)
            logger.warning(
                "incidents of a replaced configuration unknown", reason=f"{uri}: {error}"
            )
            ended, etag = 0, listed.etag
        self.settled[listed.key] = etag
        return ended

    def _retire(self, listed: ListedObject) -> tuple[int, str]:
        header = read_header(self.bucket, listed.key)
        # A key with an incident is due: the incident ends when the key stays silent.
        if header.is_retired or (math.isinf(header.due) and not header.has_outbox):
            return 0, listed.etag
        content, etag = self.bucket.read_with_etag(listed.key)
        retired = RetiredBucket.from_bytes(content)
        ended = retired.end_incidents(self.reason)
        if ended:
            etag = self.bucket.put_if(listed.key, retired.to_bytes(), etag)
        # Of an earlier attempt that did not deliver them.
        ended = sum(change.reason == self.reason for change in retired.outbox.changes)
        self.deliver(retired.outbox)
        retired.header["retired"] = True
        return ended, self.bucket.put_if(listed.key, retired.to_bytes(), etag)


@dataclass
class RetiredBucket:
    """The stored bucket of a replaced configuration, whose forests nobody reads.

    `changes` are the bytes that a table's bucket has behind its keys; they stay as they are.
    """

    header: dict[str, Any]
    states: list[bytes]
    outbox: Outbox
    changes: bytes = b""

    @classmethod
    def from_bytes(cls, content: bytes) -> "RetiredBucket":
        """Read a bucket of any configuration. Raises `MalformedState`."""
        header, states, changes = divided(content)
        start, parts = 0, list[bytes]()
        for *_, length in header["keys"]:
            parts.append(states[start : start + length])
            start += length
        return cls(header, parts, Outbox.from_payload(header["outbox"]), changes)

    def to_bytes(self) -> bytes:
        """Return the bucket's bytes."""
        keys = [
            [*key, len(state)]
            for (*key, _), state in zip(self.header["keys"], self.states, strict=True)
        ]
        header = {**self.header, "keys": keys, "outbox": self.outbox.to_payload()}
        return joined(header, self.states) + self.changes

    def end_incidents(self, reason: str) -> int:
        """End the open incident of every key, with a reason; return their number."""
        ended = 0
        for number, state in enumerate(self.states):
            self.states[number], incident = without_incident(state)
            if incident is not None:
                self.outbox.changes.append(IncidentChange("ended", incident, reason))
                ended += 1
        return ended
