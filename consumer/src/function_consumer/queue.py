"""The records that wait for their function: when a batch is ready, what follows from its outcome, what may be committed.

One batch is out at a time, and a failed one goes before all others: each partition keeps its order. All times are epoch seconds.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from function_consumer.records import Partition, Record

FOREVER = -1
# A synchronous invocation takes 6 MB; the event around the records needs some of it.
_MAX_EVENT_BYTES = 6 * 1024 * 1024 - 10_240
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_MOST_DOUBLINGS = 10


@dataclass(frozen=True)
class Settings:
    """Settings of a mapping; FOREVER lifts the limits on retries and age (seconds)."""

    batch_size: int = 100
    batching_seconds: float = 0.5
    bisect: bool = False
    retries: int = FOREVER
    record_age_seconds: float = FOREVER
    reports_failures: bool = False


@dataclass(frozen=True)
class Batch:
    """Records for one invocation, the attempts that failed, and the invocations so far."""

    records: Sequence[Record]
    failures: int = 0
    invocations: int = 0


class Condition(StrEnum):
    """Why records were given up."""

    RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
    TOO_OLD = "RecordAgeExceeded"


@dataclass(frozen=True)
class Discard:
    """Records that were given up, and why."""

    records: Sequence[Record]
    condition: Condition
    invocations: int


class Queue:
    """`pending` records have not been out, `retries` have; the batch between `take` and `settle` is the caller's."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._pending: deque[Record] = deque()
        self._retries: deque[Batch] = deque()
        self._out: Batch | None = None
        self._next: dict[Partition, int] = {}
        self._gathering_since = 0.0
        self._not_before = 0.0
        self._troubles = 0

    @property
    def is_full(self) -> bool:
        """Return True while nothing more should be read: a batch is being retried, or two wait."""
        return bool(self._retries) or len(self._pending) >= 2 * self.settings.batch_size

    @property
    def partitions(self) -> Collection[Partition]:
        """Return the partitions of which records have been read."""
        return self._next.keys()

    def next_offset(self, partition: Partition) -> int | None:
        """Return the offset after the newest record that was read; None if there was none."""
        return self._next.get(partition)

    def offer(self, records: Iterable[Record], now: float) -> None:
        """Take records as they were read."""
        if not self._pending:
            self._gathering_since = now
        for each in records:
            self._pending.append(each)
            self._next[each.partition] = each.offset + 1

    def drop(self, partitions: Collection[Partition]) -> None:
        """Forget the records of partitions that another consumer reads from now on."""
        self._pending = deque(each for each in self._pending if each.partition not in partitions)
        kept = (
            replace(batch, records=_without(batch.records, partitions)) for batch in self._retries
        )
        self._retries = deque(batch for batch in kept if batch.records)
        for partition in partitions:
            self._next.pop(partition, None)

    def done(self) -> Mapping[Partition, int]:
        """Return the offset to commit of each partition: that of its first record that is not done."""
        first = dict(self._next)
        for each in self._unfinished():
            if each.partition in first:
                first[each.partition] = min(first[each.partition], each.offset)
        return first

    def due(self, now: float) -> float | None:
        """Return when the next batch is ready, which may be past; None if nothing waits."""
        if self._retries:
            return self._not_before
        if not self._pending:
            return None
        if len(self._fitting()) < len(self._pending) or self._has_enough():
            return now
        return self._gathering_since + self.settings.batching_seconds

    def take(self, now: float) -> Batch | None:
        """Return the batch that is ready; `settle` has to follow."""
        due = self.due(now)
        if due is None or due > now:
            return None
        if self._retries:
            self._out = self._retries.popleft()
        else:
            self._out = Batch(self._fitting())
            for _ in self._out.records:
                self._pending.popleft()
            self._gathering_since = now
        return self._out

    def too_old(self, now: float) -> Discard | None:
        """Give up the records of the batch that is out which are older than the settings allow."""
        batch, limit = self._out, self.settings.record_age_seconds
        if batch is None or limit == FOREVER:
            return None
        oldest = (now - limit) * 1_000
        old = [each for each in batch.records if 0 <= each.time < oldest]
        if not old:
            return None
        left = [each for each in batch.records if not 0 <= each.time < oldest]
        self._out = replace(batch, records=left)
        return Discard(old, Condition.TOO_OLD, batch.invocations)

    @property
    def out(self) -> Sequence[Record]:
        """Return the records of the batch that is out."""
        return self._out.records if self._out else ()

    def not_invoked(self, now: float) -> None:
        """Take the batch back: there was no invocation, so this costs no attempt."""
        if self._out is not None:
            self._retry(now, self._out)

    def settle(self, failed: Sequence[Record] | None, now: float) -> Discard | None:
        """Note the records that failed, None for a function that failed itself; return what is given up for good."""
        batch, self._out = self._out, None
        if batch is None:
            return None
        batch = replace(batch, invocations=batch.invocations + 1)
        if failed is not None and not failed:
            self._troubles = 0
            return None
        return self._failed(batch, failed, now)

    def _failed(self, batch: Batch, failed: Sequence[Record] | None, now: float) -> Discard | None:
        if failed is None and self.settings.bisect and len(batch.records) > 1:
            middle = len(batch.records) // 2
            halves = (batch.records[:middle], batch.records[middle:])
            self._retry(now, *(replace(batch, records=half) for half in halves))
            return None
        if failed is not None:
            progress = len(failed) < len(batch.records)
            batch = replace(batch, records=failed)
            if progress and self.settings.bisect:  # the report is the split, and costs no attempt
                self._retry(now, batch)
                return None
        batch = replace(batch, failures=batch.failures + 1)
        if self.settings.retries == FOREVER or batch.failures <= self.settings.retries:
            self._retry(now, batch)
            return None
        self._troubles = 0
        return Discard(batch.records, Condition.RETRIES_EXHAUSTED, batch.invocations)

    def _retry(self, now: float, *batches: Batch) -> None:
        self._out = None
        self._retries.extendleft(reversed(batches))
        self._not_before = now + min(_FIRST_PAUSE * 2**self._troubles, _LONGEST_PAUSE)
        self._troubles = min(self._troubles + 1, _MOST_DOUBLINGS)

    def _unfinished(self) -> Iterable[Record]:
        yield from self.out
        for batch in self._retries:
            yield from batch.records
        yield from self._pending

    def _fitting(self) -> list[Record]:
        """Return the pending records that the next batch can hold, at least one."""
        fitting: list[Record] = []
        room = _MAX_EVENT_BYTES
        for record in self._pending:
            room -= record.size
            if fitting and (room < 0 or len(fitting) == self.settings.batch_size):
                break
            fitting.append(record)
        return fitting

    def _has_enough(self) -> bool:
        return len(self._pending) >= self.settings.batch_size


def _without(records: Sequence[Record], partitions: Collection[Partition]) -> Sequence[Record]:
    return [each for each in records if each.partition not in partitions]
