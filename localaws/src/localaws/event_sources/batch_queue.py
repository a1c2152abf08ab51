"""The queue of one lane, or of a part of its keys: when a batch is ready, and what follows from how it ended.

At most one batch is out at a time, so the order of records is kept. A failed batch blocks the queue until it is done, split
and done, or discarded.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import takewhile

from localaws.event_sources.batches import (
    FOREVER,
    Batch,
    Condition,
    Discard,
    Outcome,
    Result,
    Settings,
    SourceRecord,
)
from localaws.limits import LAMBDA_PAYLOAD_MAX_BYTES

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
# The event around the records; its exact size is nobody's promise.
_ENVELOPE_BYTES = 1024
# Done records of a queue that can be delivered again.
_REMEMBERED = 2_000


class BatchQueue:
    """Records wait in `pending`; `retries` are batches that have been out, the next one first.

    Between `take` and `settle` a batch is the caller's; nothing else may be done to the queue's records meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pending: deque[SourceRecord] = deque()
        self._retries: deque[Batch] = deque()
        self._done: deque[SourceRecord] = deque(maxlen=_REMEMBERED)
        self._gathering_since: float | None = None
        self._not_before = 0.0
        self._troubles = 0
        self._is_out = False

    @property
    def records(self) -> list[SourceRecord]:
        """Return every record that is not done, in order."""
        return [*(record for batch in self._retries for record in batch.records), *self._pending]

    def __len__(self) -> int:
        return len(self._pending) + sum(len(batch.records) for batch in self._retries)

    @property
    def is_empty(self) -> bool:
        return not self._pending and not self._retries and not self._is_out

    def offer(self, records: Iterable[SourceRecord], now: float) -> None:
        self._pending.extend(records)
        if self._pending and self._gathering_since is None:
            self._gathering_since = now

    def rewind(self, count: int, now: float) -> None:
        """Queue the last `count` done records again, before all others, as a reader does that lost its checkpoint."""
        again = [self._done.pop() for _ in range(min(count, len(self._done)))][::-1]
        records = [*again, *self.records]
        self._retries.clear()
        self._pending = deque(records)
        self._gathering_since = now if records else None

    def discard_old(self, now: float, retention_seconds: float) -> list[Discard]:
        """Give up the records that have become older than the mapping wants them, or than the source keeps them."""
        oldest = now - _least(self._settings.record_age_seconds, retention_seconds)
        discards = []
        while self._retries and (old := _before(oldest, self._retries[0].records)):
            batch = self._retries.popleft()
            discards.append(Discard(old, Condition.TOO_OLD, batch.invocations))
            if left := batch.records[len(old) :]:
                self._retries.appendleft(replace(batch, records=left))
        if not self._retries and (old := _before(oldest, self._pending)):
            discards.append(Discard(old, Condition.TOO_OLD, 0))
            for _ in old:
                self._pending.popleft()
        return discards

    def due(self, now: float) -> float | None:
        """Return when the next batch will be ready, which may be past; None while one is out, or there is none."""
        if self._is_out:
            return None
        if self._retries:
            return self._not_before
        if not self._pending:
            return None
        gathered = len(self._fitting()) < len(self._pending) or self._is_full()
        since = self._gathering_since
        ready = now if gathered or since is None else since + self._settings.batching_seconds
        return max(ready, self._not_before)

    def take(self, now: float) -> Batch | None:
        """Return the batch that is ready now; `settle` has to follow before the next one."""
        due = self.due(now)
        if due is None or due > now:
            return None
        self._is_out = True
        if self._retries:
            return self._retries.popleft()
        records = self._fitting()
        for _ in records:
            self._pending.popleft()
        self._gathering_since = now if self._pending else None
        return Batch(records)

    def settle(self, batch: Batch, outcome: Outcome, now: float) -> list[Discard]:
        """Take note of how a batch ended; return what is given up for good."""
        self._is_out = False
        if outcome.result is Result.NOT_INVOKED:
            self._retry(now, batch)
            return []
        batch = replace(batch, invocations=batch.invocations + 1)
        if outcome.result is Result.DONE:
            self._done.extend(batch.records)
            self._troubles = 0
            return []
        return self._after_failure(batch, outcome.first_failed, now)

    def _after_failure(self, batch: Batch, first_failed: int | None, now: float) -> list[Discard]:
        if first_failed:
            self._done.extend(batch.records[:first_failed])
            batch = replace(batch, records=batch.records[first_failed:])
            if self._settings.bisect:  # the split is at the reported record, and costs no retry
                self._retry(now, batch)
                return []
        elif first_failed is None and self._settings.bisect and len(batch.records) > 1:
            middle = len(batch.records) // 2
            halves = (batch.records[:middle], batch.records[middle:])
            self._retry(now, *(replace(batch, records=half) for half in halves))
            return []
        batch = replace(batch, failures=batch.failures + 1)
        if self._settings.retries == FOREVER or batch.failures <= self._settings.retries:
            self._retry(now, batch)
            return []
        self._troubles = 0
        return [Discard(batch.records, Condition.RETRIES_EXHAUSTED, batch.invocations)]

    def _retry(self, now: float, *batches: Batch) -> None:
        self._retries.extendleft(reversed(batches))
        pause = min(_FIRST_PAUSE * 2**self._troubles, _LONGEST_PAUSE)
        self._not_before = now + pause
        self._troubles = min(self._troubles + 1, 10)

    def _fitting(self) -> tuple[SourceRecord, ...]:
        """Return the pending records that the next batch can hold, at least one."""
        fitting: list[SourceRecord] = []
        room = LAMBDA_PAYLOAD_MAX_BYTES - _ENVELOPE_BYTES
        for record in self._pending:
            room -= record.size
            if fitting and (room < 0 or len(fitting) == self._settings.batch_size):
                break
            fitting.append(record)
        return tuple(fitting)

    def _is_full(self) -> bool:
        return len(self._pending) >= self._settings.batch_size


def _before(moment: float, records: Iterable[SourceRecord]) -> tuple[SourceRecord, ...]:
    return tuple(takewhile(lambda record: record.arrived < moment, records))


def _least(age: float, retention: float) -> float:
    return retention if age == FOREVER else min(age, retention)
